def before(event, context):
    return {"trail": event["trail"] + ["first.before"]}


def after(response, context):
    return {"trail": response["trail"] + ["first.after"]}
