def before(event, context):
    return {"trail": event["trail"] + ["third.before"]}


def after(response, context):
    return {"trail": response["trail"] + ["third.after"]}
