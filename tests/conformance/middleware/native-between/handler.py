def handler(event, context):
    return {**event, "add": lambda n: event["n"] + n}
