"""Checks the body of an HTTP event, or all of another event, against the JSON schema in the file VALIDATE_SCHEMA, and
answers 400 by itself, with each error and its place. Stands inside of json-body. `make setup` fetches what it imports.
"""

import json
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "package"))

from jsonschema.validators import validator_for  # noqa: E402


def init(context):
    global validator
    schema = json.loads(Path(os.environ["VALIDATE_SCHEMA"]).read_text())
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)


def before(event, context):
    value = event["body"] if is_http(event) and "body" in event else event
    errors = sorted(validator.iter_errors(value), key=lambda error: error.json_path)
    if errors:
        context.reply(bad_request([{"path": pointer(e.absolute_path), "message": e.message} for e in errors]))


def is_http(event):
    return isinstance(event, dict) and ("httpMethod" in event or "http" in (event.get("requestContext") or {}))


def pointer(path):
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def bad_request(errors):
    document = {"title": "Bad Request", "status": 400, "errors": errors}
    headers = {"content-type": "application/problem+json"}
    return {"statusCode": 400, "headers": headers, "body": json.dumps(document)}
