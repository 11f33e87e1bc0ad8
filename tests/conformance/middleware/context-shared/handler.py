def handler(event, context):
    return context.user
