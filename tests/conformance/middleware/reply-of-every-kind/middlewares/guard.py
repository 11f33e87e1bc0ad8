def before(event, context):
    context.reply(event[0])
