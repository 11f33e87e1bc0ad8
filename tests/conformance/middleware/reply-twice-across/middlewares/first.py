def before(event, context):
    context.reply("first")
