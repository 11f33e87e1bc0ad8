def handler(event, context):
    if event.get("read"):
        return context.state["account"].balance()
    return "untouched"
