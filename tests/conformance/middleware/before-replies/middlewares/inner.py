def before(event, context):
    return {"trail": event["trail"] + ["inner.before"]}


def after(response, context):
    return {"trail": response["trail"] + ["inner.after"]}
