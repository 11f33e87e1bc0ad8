import sys


def handler(event, context):
    if event is not None:
        sys.exit(event)
    return "alive"
