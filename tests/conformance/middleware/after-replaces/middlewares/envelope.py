def after(response, context):
    return {"body": response}
