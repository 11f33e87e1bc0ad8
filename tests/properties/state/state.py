"""Does to the state what the event lists for a place, and notes what comes of it."""

import json


def run(event, context, place):
    state = context.state
    for act, *rest in event["places"][place]:
        given = None
        if act == "set":
            state[rest[0]] = rest[1]
        elif act == "get":
            given = state[rest[0]] if rest[0] in state else "absent"
        elif act == "has":
            given = rest[0] in state
        elif act == "remove":
            state.pop(rest[0], None)
        elif act == "keys":
            given = sorted(state)
        elif act == "append":
            value = state.get(rest[0])
            given = isinstance(value, list)
            if given:
                value.append(rest[1])
        elif act == "put":
            value = state.get(rest[0])
            given = isinstance(value, dict)
            if given:
                value[rest[1]] = rest[2]
        event["notes"].append(json.dumps(given))
    return event


def before(event, context):
    return run(event, context, FIRST)


def after(event, context):
    return run(event, context, SECOND)


handler = before
