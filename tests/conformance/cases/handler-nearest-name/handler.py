def handler(event, context):
    return 1


def other(event, context):
    return 2
