def handler(event, context):
    return {**event, "handled": True}
