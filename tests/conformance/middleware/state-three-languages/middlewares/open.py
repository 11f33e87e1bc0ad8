def before(event, context):
    context.state["list"] = ["open"]


def after(response, context):
    return context.state["list"]
