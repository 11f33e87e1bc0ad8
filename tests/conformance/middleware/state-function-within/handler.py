def handler(event, context):
    if event.get("read"):
        return context.state["tools"]["list"][0]["run"](20)
    return "untouched"
