def handler(event, context):
    if event.get("read"):
        return context.state["timer"](20)
    return "untouched"
