import asyncio


async def handler(event, context):
    if event.get("wait"):
        await asyncio.sleep(20)
    return "answered"
