import trine


def before(event, context):
    if event.get("clear"):
        return trine.null
    return None
