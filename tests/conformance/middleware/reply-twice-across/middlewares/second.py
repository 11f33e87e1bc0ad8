def before(event, context):
    context.reply("second")
