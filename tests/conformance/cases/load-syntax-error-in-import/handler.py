import broken


def handler(event, context):
    return broken.fine
