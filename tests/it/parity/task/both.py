def handler(event, context):
    return "the module"
