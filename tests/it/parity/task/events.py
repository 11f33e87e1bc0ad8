"""What an event becomes."""


def shape(value):
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return [type(value).__name__, ascii(value)]


def told(event, context):
    return shape(event)


def raw(event, context):
    return [type(event).__name__, repr(event)]


def depth(event, context):
    levels = 0
    while isinstance(event, (list, dict)):
        event = event[0] if isinstance(event, list) else event["a"]
        levels += 1
    return levels


def length(event, context):
    return [type(event).__name__, len(event)]


def order(event, context):
    return list(event)


def changed(event, context):
    event["new"] = True
    return event
