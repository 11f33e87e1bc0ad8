def before(event, context):
    pass
