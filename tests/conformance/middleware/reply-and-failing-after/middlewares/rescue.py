def error(error, context):
    return "rescued"
