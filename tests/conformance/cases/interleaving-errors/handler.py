import asyncio


async def handler(event, context):
    await asyncio.sleep(event["ms"] / 1000)
    if "fail" in event:
        raise RuntimeError(event["fail"])
    return "fine"
