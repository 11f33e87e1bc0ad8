"""Degrees, as a function on Scaleway converts them: asked in the query, or in JSON that a queue or a schedule sends."""

import json
import math

USAGE = 'Add ?celsius=21.5, or send {"celsius": 21.5}.'


def text(status, body):
    return {
        "statusCode": status,
        "headers": {"Content-Type": "text/plain; charset=utf-8"},
        "body": body,
    }


def in_body(event):
    try:
        return json.loads(event["body"])["celsius"]
    except (KeyError, TypeError, ValueError):
        return None


def handle(event, context):
    query = event.get("queryStringParameters") or {}
    asked = query.get("celsius", in_body(event))
    if asked is None:
        return text(200, USAGE)
    try:
        celsius = float(asked)
    except (TypeError, ValueError):
        celsius = math.nan
    if not math.isfinite(celsius):
        return text(400, f"'{asked}' is no temperature.")
    # An object as the body goes out as JSON.
    return {"statusCode": 200, "body": {"fahrenheit": celsius * 9 / 5 + 32}}


# The usual name everywhere else.
handler = handle
