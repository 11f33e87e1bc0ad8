def handler(event, context):
    user = context.state["user"]
    user["seen"].append("handler")
    user["name"] = user["name"] + "!"
    context.state["fromHandler"] = {"deep": [1, {"n": event["n"]}]}
    return {"name": user["name"]}
