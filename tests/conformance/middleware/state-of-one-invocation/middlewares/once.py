def before(event, context):
    keys = list(context.state)
    context.state["mark"] = 1
    return keys
