from squares import square


def handler(event, context):
    return square(event)
