def error(error, context):
    raise LookupError("worse luck")
