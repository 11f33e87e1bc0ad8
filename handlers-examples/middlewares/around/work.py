"""Fails as the query asks (`?fail=NotFound&message=no+such+pet`), or calls a URL (`?url=…&times=2`): so many times,
and `json.dumps` once.
"""

import asyncio
import json
import urllib.request


def get(url):
    with urllib.request.urlopen(url) as response:
        return response.read()


async def handler(event, context):
    query = event.get("queryStringParameters") or event
    if "fail" in query:
        raise type(query["fail"], (Exception,), {})(query["message"])
    times = int(query.get("times", 1))
    for _ in range(times):
        await asyncio.to_thread(get, query["url"])
    return json.loads(json.dumps({"calls": times + 1}))
