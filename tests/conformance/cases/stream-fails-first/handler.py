async def handler(event, context):
    if event is None:
        raise ValueError("not today")
    yield "one"
