"""The body of a request is text in Lambda's event. A result without `statusCode` becomes the JSON body of a 200: Trine
writes it as JSON once more, so this is the whole of parsing and serialising.
"""

import json


def handler(event, context):
    return json.loads(event["body"])


async def async_handler(event, context):
    return json.loads(event["body"])
