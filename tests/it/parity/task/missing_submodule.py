import helper.inner


def handler(event, context):
    return helper
