"""Greets by name. The event is `{"name": "Ada"}`, or an HTTP request with `?name=Ada`.

A result without `statusCode` becomes the JSON body of a 200, so both callers get the same answer.
"""


def handler(event, context):
    query = event.get("queryStringParameters") or {}
    name = event.get("name") or query.get("name") or "world"
    return {"message": f"Hello, {name}!"}
