from . import plain


def handler(event, context):
    return plain.__name__
