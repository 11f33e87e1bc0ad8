def error(error, context):
    return {"rescued": "no entry" in str(error)}
