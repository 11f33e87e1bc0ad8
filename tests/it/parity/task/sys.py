def handler(event, context):
    return "own sys"
