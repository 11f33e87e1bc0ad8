def handler(event, context):
    return event["b"]["c"]
