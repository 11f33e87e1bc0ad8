def handler(event, context):
    return ["package", __name__]
