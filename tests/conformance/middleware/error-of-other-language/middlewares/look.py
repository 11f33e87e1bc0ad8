import trine


def error(error, context):
    return {
        "is": isinstance(error, trine.ForeignError),
        "name": error.error_type,
        "text": error.error_message,
    }
