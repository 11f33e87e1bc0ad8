from checks import check


def handler(event, context):
    return check(event)
