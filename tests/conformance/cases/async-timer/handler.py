import asyncio
import time


async def handler(event, context):
    start = time.monotonic()
    await asyncio.sleep(event["ms"] / 1000)
    return {"waited": time.monotonic() - start >= (event["ms"] - 1) / 1000}
