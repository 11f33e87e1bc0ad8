"""A notes API on Lambda's HTTP payload format 2.0.

GET /notes          the ids of all notes
POST /notes         makes a note of {"title": …, "text": …}; its id comes from the title
GET /notes/{id}     the text of one
DELETE /notes/{id}
"""

import base64
import json
import re

# State of the module lives as long as its instance, and every worker has an instance of its own: fine for a cache or a
# demonstration, not for data that matters.
notes = {}


def handler(event, context):
    # Served below /http-api/python, the function sees the path below that.
    path = event["rawPath"]
    method = event["requestContext"]["http"]["method"]
    # The bare address stands for the list.
    match [method, *(list(filter(None, path.split("/"))) or ["notes"])]:
        case ["GET", "notes"]:
            return reply(200, {"notes": sorted(notes)})
        case ["POST", "notes"]:
            return create(event)
        case ["GET", "notes", note_id]:
            return read(note_id)
        case ["DELETE", "notes", note_id]:
            return remove(note_id)
        case [_, "notes"]:
            return not_allowed(method, "GET, POST")
        case [_, "notes", _]:
            return not_allowed(method, "GET, DELETE")
    return problem(404, f"there is nothing at /{path.lstrip('/')}")


def create(event):
    try:
        note = json.loads(body_of(event))
    except ValueError:
        return problem(400, "the body is not valid JSON")
    match note:
        case {"title": str(title), "text": str(text)}:
            note_id = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")
        case _:
            return problem(400, "a note has a title and a text")
    if not note_id:
        return problem(400, "the title has neither letters nor digits")
    notes[note_id] = text
    # What goes back to the client has to name the whole path.
    here = (event.get("basePath", "") + event["rawPath"]).rstrip("/")
    return {
        **reply(201, {"id": note_id}, location=f"{here}/{note_id}"),
        # Each item becomes a Set-Cookie header of its own, which `headers` could not express.
        "cookies": [f"last-note={note_id}; HttpOnly; SameSite=Lax"],
    }


def read(note_id):
    if note_id not in notes:
        return problem(404, f"there is no note '{note_id}'")
    headers = {"content-type": "text/plain; charset=utf-8"}
    return {"statusCode": 200, "headers": headers, "body": notes[note_id]}


def remove(note_id):
    if notes.pop(note_id, None) is None:
        return problem(404, f"there is no note '{note_id}'")
    return {"statusCode": 204}


def body_of(event):
    """The body as it was sent. Types that are not text for sure arrive as base64.

    That of `curl -d` without a content-type header is one of them.
    """
    body = event.get("body", "")
    return base64.b64decode(body) if event["isBase64Encoded"] else body


def reply(status, value, **headers):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **headers},
        "body": json.dumps(value, separators=(",", ":")),
    }


def problem(status, message, **headers):
    return reply(status, {"message": message}, **headers)


def not_allowed(method, allow):
    return problem(405, f"{method} is not one of {allow}", allow=allow)
