def before(event, context):
    return {"trail": event["trail"] + ["second.before"]}


def after(response, context):
    return {"trail": response["trail"] + ["second.after"]}
