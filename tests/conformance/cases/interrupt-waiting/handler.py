import asyncio


async def handler(event, context):
    await asyncio.sleep(event / 1000)
    return "done"
