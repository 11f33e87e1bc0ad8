"""Greets over HTTP.

GET /greetings/Ada    a greeting
POST /greetings       one for {"name": "Ada"}

Requests are events of API Gateway's payload format 2.0, results its responses.
"""

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trine import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    method = event["requestContext"]["http"]["method"]
    match [segment for segment in event["rawPath"].split("/") if segment]:
        case ["greetings"]:
            return create(event) if method == "POST" else not_allowed(method, "POST")
        case ["greetings", name]:
            return reply(200, greeting(name)) if method == "GET" else not_allowed(method, "GET")
    return problem(404, f"there is nothing at {event['rawPath']}")


def create(event: dict[str, Any]) -> dict[str, Any]:
    try:
        asked = json.loads(body_of(event))
    except ValueError:
        return problem(400, "the body is not valid JSON")
    match asked:
        case {"name": str(name)} if name:
            return reply(201, greeting(name))
    return problem(400, "the body has no name")


def greeting(name: str) -> dict[str, str]:
    return {"message": f"Hello, {name}!"}


def body_of(event: dict[str, Any]) -> str | bytes:
    """The body as it was sent. Types that are not text for sure arrive as base64.

    That of `curl -d` without a content-type header is one of them.
    """
    body = event.get("body", "")
    return base64.b64decode(body) if event["isBase64Encoded"] else body


def reply(status: int, value: Any, **headers: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **headers},
        "body": json.dumps(value, separators=(",", ":")),
    }


def problem(status: int, message: str, **headers: str) -> dict[str, Any]:
    return reply(status, {"message": message}, **headers)


def not_allowed(method: str, allow: str) -> dict[str, Any]:
    return problem(405, f"{method} is not one of {allow}", allow=allow)
