"""A table that is sent row by row, while it is made. Behind a URL it has a media type and a file name."""

import asyncio

from trine import ResponseMetadata


async def handler(event, context):
    settings = event.get("queryStringParameters") or event
    if "requestContext" in event:
        yield ResponseMetadata(
            content_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="squares.csv"'},
        )
    yield "number,square\n"
    for number in range(1, int(settings.get("rows", 3)) + 1):
        await asyncio.sleep(float(settings.get("wait_ms", 20)) / 1000)
        yield f"{number},{number * number}\n"
