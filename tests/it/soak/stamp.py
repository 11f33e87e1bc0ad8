def before(event, context):
    context.state["stamps"] = [*context.state.get("stamps", []), "python"]


def after(response, context):
    return {**response, "last": "python"}


def error(error, context):
    context.state["failed"] = str(error)
