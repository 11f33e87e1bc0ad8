"""What the tests ask of a function, in each language alike: the event's member `do` says what.

As an HTTP function it takes the same from its query.
"""

import asyncio
import os
import sys


class OutOfStock(Exception):
    pass


class Counter:
    value = 0


def count(event, context):
    Counter.value += 1
    return Counter.value


def about(event, context):
    return {
        "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "group": context.log_group_name,
        "stream": context.log_stream_name,
        "tenant": context.tenant_id,
        "custom": context.client_context and context.client_context.custom,
        "w3c": context.w3c(),
        "identity": context.identity.cognito_identity_id,
        "remaining": context.get_remaining_time_in_millis(),
    }


def fail(event, context):
    raise OutOfStock("no anvil left")  # here


def nest(event, context):
    nested = []
    for _ in range(event["levels"] - 1):
        nested = [nested]
    return nested


async def wait(event, context):
    await asyncio.sleep(float(event["ms"]) / 1000)
    return event.get("note")


def mirror(event, context):
    return {
        "statusCode": 201,
        "headers": {
            "content-type": event["headers"].get("content-type", "text/plain"),
            "x-method": event["requestContext"]["http"]["method"],
            "x-path": event["rawPath"],
        },
        "cookies": event.get("cookies", []),
        "body": event.get("body", ""),
        "isBase64Encoded": event["isBase64Encoded"],
    }


ACTIONS = {
    "echo": lambda event, context: event,
    "count": count,
    "trace": lambda event, context: os.environ.get("_X_AMZN_TRACE_ID"),
    "context": about,
    "fail": fail,
    "exit": lambda event, context: sys.exit(event["status"]),
    "repeat": lambda event, context: event["text"] * event["count"],
    "nest": nest,
    "impossible": lambda event, context: object(),
    "log": lambda event, context: print(event["text"]),
    "wait": wait,
    "mirror": mirror,
}


async def handler(event, context):
    action = "echo"
    if isinstance(event, dict):
        query = event.get("queryStringParameters") or {}
        action = query.get("do") or event.get("do") or "echo"
        event = {**event, **query} if "do" in query else event
    result = ACTIONS[action](event, context)
    return await result if asyncio.iscoroutine(result) else result
