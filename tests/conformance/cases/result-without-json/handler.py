cycle = {"list": []}
cycle["list"].append(cycle)

RESULTS = {
    "cycle": cycle,
    "function": lambda: None,
    "bad-text": [b"\xff"],
}


def handler(event, context):
    return RESULTS.get(event, event)
