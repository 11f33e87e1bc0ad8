def handler(event, context):
    if event.get("read"):
        return context.state["ring"]["next"]["next"]["n"]
    return "untouched"
