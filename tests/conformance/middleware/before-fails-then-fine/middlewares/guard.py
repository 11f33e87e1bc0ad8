def before(event, context):
    if event.get("before"):
        raise LookupError("no entry")
