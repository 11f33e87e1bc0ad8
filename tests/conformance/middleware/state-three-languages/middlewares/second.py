def before(event, context):
    context.state["list"].append("second")
