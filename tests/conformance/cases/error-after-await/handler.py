import asyncio


async def late(ms):
    await asyncio.sleep(ms / 1000)
    raise TimeoutError("too late")


async def handler(event, context):
    return await late(event["ms"]) if "ms" in event else "in time"
