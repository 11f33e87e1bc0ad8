def before(event, context):
    return {**event, "trail": event["trail"] + ["outer.before"]}


def after(response, context):
    return {"trail": response["trail"] + ["outer.after"]}
