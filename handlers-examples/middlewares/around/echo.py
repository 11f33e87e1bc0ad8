"""Answers with what has reached it of the event and of `context.state`."""


def handler(event, context):
    seen = {name: event[name] for name in ("name", "body", "flags", "stamp") if name in event}
    if "claims" in context.state:
        seen["claims"] = context.state["claims"]
    return seen
