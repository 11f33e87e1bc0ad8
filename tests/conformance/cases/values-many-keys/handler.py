import json


def make(count):
    return {f"key-{i}": i for i in range(1, count + 1)}


def handler(event, context):
    everything = json.loads(json.dumps(make(event)))
    return {
        "count": len(everything),
        "first": everything["key-1"],
        "last": everything[f"key-{event}"],
    }
