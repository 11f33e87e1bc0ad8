def handler(event, context):
    yield "one"
    yield "two"
    yield "three"
