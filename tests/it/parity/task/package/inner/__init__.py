from .. import handler as outer


def handler(event, context):
    return ["inner", __name__, outer(event, context)]
