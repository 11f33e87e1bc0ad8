def after(response, context):
    pass
