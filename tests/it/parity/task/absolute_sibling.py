import helper


def handler(event, context):
    return helper.__name__
