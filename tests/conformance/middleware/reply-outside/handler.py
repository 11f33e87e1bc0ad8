def handler(event, context):
    if event.get("handler"):
        context.reply(1)
    return event
