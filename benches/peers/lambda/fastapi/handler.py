"""A FastAPI application behind an adapter for Lambda, made while the function is loaded."""

import json

from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()


class Message(BaseModel):
    event: dict


@app.post("/")
def echo(message: Message) -> Message:
    return message


serve = Mangum(app, lifespan="off")


def handler(event, context):
    """Answers its event, which it sends through the application in the body of a request."""
    request = {
        "version": "2.0",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/", "sourceIp": "127.0.0.1"}},
        "body": json.dumps({"event": event}),
        "isBase64Encoded": False,
    }
    response = serve(request, context)
    return json.loads(response["body"])["event"]
