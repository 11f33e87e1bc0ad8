def handler(event, context):
    context.state["list"].append("handler")
    return "done"
