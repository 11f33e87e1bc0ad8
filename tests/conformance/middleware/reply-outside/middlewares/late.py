def after(response, context):
    if response.get("after"):
        context.reply(1)
