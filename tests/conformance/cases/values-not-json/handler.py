def handler(event, context):
    return list(event) if isinstance(event, bytes) else event
