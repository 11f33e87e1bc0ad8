import asyncio


async def handler(event, context):
    while "loop" in event:
        await asyncio.sleep(0)
    await asyncio.sleep(event["ms"] / 1000)
    return "fine"
