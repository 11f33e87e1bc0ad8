from words import greeting


def before(event, context):
    return f"{greeting} {event}"
