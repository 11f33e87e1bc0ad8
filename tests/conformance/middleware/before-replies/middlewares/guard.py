def before(event, context):
    if event.get("deny"):
        context.reply({"trail": event["trail"] + ["guard.reply"]})


def after(response, context):
    return {"trail": response["trail"] + ["guard.after"]}
