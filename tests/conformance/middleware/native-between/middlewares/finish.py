def after(response, context):
    return response["add"](1)
