def before(event, context):
    context.state["first"] = "one"
    context.state["second"] = [2]


def after(response, context):
    return {**response, "left": sorted(context.state)}
