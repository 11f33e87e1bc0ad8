def wrap(handler):
    def wrapped(event, context):
        return {"inside": handler({**event, "wrapped": True}, context)}

    return wrapped


def before(event, context):
    return {**event, "before": "wrapped" in event}


def after(response, context):
    return {"outside": response}
