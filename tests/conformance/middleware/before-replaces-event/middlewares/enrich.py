def before(event, context):
    return {"inner": event, "by": "before"}
