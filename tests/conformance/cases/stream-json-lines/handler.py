async def handler(event, context):
    yield [7]
    yield True
    yield 1.5
    yield "text"
