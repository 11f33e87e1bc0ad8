def before(event, context):
    context.state["user"] = {"name": "ada", "seen": ["before"], "empty": {}, "none": []}
    context.state["user"]["seen"].append("again")


def after(response, context):
    user, from_handler = context.state["user"], context.state["fromHandler"]
    from_handler["deep"][1]["n"] += 1
    return {"response": response, "user": user, "fromHandler": context.state["fromHandler"]}
