def handler(event, context):
    import plain

    return plain.handler(event, context)
