def before(event, context):
    context.reply({"first": True})
    if event.get("twice"):
        context.reply({"second": True})
