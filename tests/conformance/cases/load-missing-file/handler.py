from lib import gone


def handler(event, context):
    return gone
