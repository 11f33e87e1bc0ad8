def before(event, context):
    context.state["tools"] = {"list": [{"run": lambda n: n + 1}]}
