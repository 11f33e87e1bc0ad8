def handler(event, context):
    yield from ()
