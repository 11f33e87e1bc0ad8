def before(event, context):
    context.state["timer"] = lambda n: n + 1
