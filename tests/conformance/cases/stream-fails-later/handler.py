def handler(event, context):
    yield "one"
    yield "two"
    raise ValueError("not today")
