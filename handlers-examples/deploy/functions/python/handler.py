"""Greets by name. The event is an HTTP request with `?name=Ada`, or `{"name": "Ada"}`.

The id in the log comes from the layer's middleware.
"""


def handler(event, context):
    query = event.get("queryStringParameters") or {}
    name = event.get("name") or query.get("name") or "world"
    print(f"request {context.state.get('requestId')}: greeting {name}")
    return {"message": f"Hello, {name}!"}
