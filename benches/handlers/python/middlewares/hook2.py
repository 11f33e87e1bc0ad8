"""Counts the hooks that an event has passed."""


def before(event, context):
    event["hooks"] = event.get("hooks", 0) + 1
    return event
