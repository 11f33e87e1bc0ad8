"""Greets by name. The event is `{"name": "Ada"}`, or an HTTP request with `?name=Ada`.

A result without `statusCode` becomes the JSON body of a 200, so both callers get the same answer.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trine import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, str]:
    query = event.get("queryStringParameters") or {}
    name = event.get("name") or query.get("name") or "world"
    return {"message": f"Hello, {name}!"}
