def handler(event, context):
    return 1


del handler
