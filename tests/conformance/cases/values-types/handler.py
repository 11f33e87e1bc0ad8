def handler(event, context):
    return type(event).__name__
