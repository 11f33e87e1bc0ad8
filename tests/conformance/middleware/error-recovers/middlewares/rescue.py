def error(error, context):
    return {"rescued": "no luck" in str(error)}


def after(response, context):
    return {"inner": response}
