def error(error, context):
    return {"class": type(error).__name__, "attempts": error.details["attempts"]}
