"""Checks `authorization: Bearer …` (HS256, key JWT_SECRET; `exp`, `nbf`, and `aud` if JWT_AUDIENCE is set) and answers
401 by itself. The claims are in context.state["claims"], for every language. Stands inside of request-log, cors and
http-errors, outside of everything that trusts the caller.
"""

import base64
import hashlib
import hmac
import json
import os
import time


def init(context):
    if not os.environ.get("JWT_SECRET"):
        raise ValueError("JWT_SECRET is not set: without a key no token can be checked")


def before(event, context):
    headers = (event.get("headers") if isinstance(event, dict) else None) or {}
    given = next((headers[name] for name in headers if name.lower() == "authorization"), "")
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        return context.reply(unauthorized("a token is needed"))
    try:
        context.state["claims"] = claims_of(token.strip())
    except ValueError as error:
        context.reply(unauthorized(str(error), ', error="invalid_token"'))


def claims_of(token):
    try:
        head, payload, signature = token.split(".")
        algorithm = json.loads(decode(head))["alg"]
        signed = f"{head}.{payload}".encode()
        expected = hmac.new(os.environ["JWT_SECRET"].encode(), signed, hashlib.sha256).digest()
        # Whatever the token says about its algorithm, `none` above all, only this one counts.
        genuine = algorithm == "HS256" and hmac.compare_digest(decode(signature), expected)
        claims = json.loads(decode(payload)) if genuine else None
    except (ValueError, KeyError, TypeError):
        raise ValueError("the token is malformed") from None
    if not isinstance(claims, dict):
        raise ValueError("the token is not signed by us")
    now, wanted = time.time(), os.environ.get("JWT_AUDIENCE")
    if now >= number(claims, "exp", float("inf")):
        raise ValueError("the token has expired")
    if now < number(claims, "nbf", float("-inf")):
        raise ValueError("the token is not valid yet")
    audience = claims.get("aud") or []
    if wanted and wanted not in ([audience] if isinstance(audience, str) else audience):
        raise ValueError("the token is meant for somebody else")
    return claims


def decode(part):
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def number(claims, name, otherwise):
    value = claims.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"the token's {name} is no time")
    return value


def unauthorized(detail, error=""):
    return {
        "statusCode": 401,
        "headers": {
            "content-type": "application/problem+json",
            "www-authenticate": f'Bearer realm="api"{error}',
        },
        "body": json.dumps({"title": "Unauthorized", "status": 401, "detail": detail}),
    }
