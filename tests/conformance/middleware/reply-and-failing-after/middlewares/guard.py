def before(event, context):
    context.reply(event)


def after(response, context):
    raise Exception("no")
