piece = "0123456789abcdef" * 64


async def handler(event, context):
    for _ in range(1024):
        yield piece
