def error(error, context):
    text = str(error).rpartition(": ")[2]
    return RuntimeError(f"{text} first")
