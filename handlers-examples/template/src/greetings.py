"""GET /greetings, by a REST API: payload format 1.0."""

import json
import os


def handler(event, context):
    name = (event["queryStringParameters"] or {}).get("name", "world")
    body = {"greeting": f"Hello {name}", "stage": os.environ["STAGE"]}
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(body)}
