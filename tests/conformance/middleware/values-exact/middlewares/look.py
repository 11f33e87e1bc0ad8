def before(event, context):
    return dict(event)
