def handler(event, context):
    if event.get("read"):
        return context.state["box"] is __import__("builtins").conformance_box
    return "untouched"
