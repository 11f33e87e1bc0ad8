"""Answers by the path of the event; the same as handler.mjs does."""

import json

RESULTS = {
    "/response": {"statusCode": 201, "headers": {"Content-Type": "text/x-own", "X-Own": "1"}, "body": "made"},
    "/no-body": {"statusCode": 204},
    "/object-body": {"statusCode": 200, "body": {"an": ["object"]}},
    "/base64": {"statusCode": 200, "headers": {"Content-Type": "image/x-own"}, "body": "aGkh", "isBase64Encoded": True},
    "/status-as-text": {"statusCode": "202", "body": "accepted"},
    "/error-status": {"statusCode": 503, "body": "again"},
    "/plain-object": {"message": "no response"},
    "/text": "a text",
    "/number": 12,
    "/list": [1, 2],
    "/empty-text": "",
    "/true": True,
    "/nothing": None,
}


def handle(event, context):
    path = event["path"]
    if path == "/fail":
        raise ValueError("no anvil left")
    if path in RESULTS:
        return RESULTS[path]
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
