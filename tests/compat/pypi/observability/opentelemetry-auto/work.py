"""A handler without a word of telemetry."""


def handler(event, context):
    return {"call": event["call"]}
