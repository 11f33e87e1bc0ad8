def before(event, context):
    context.user = "ada"
