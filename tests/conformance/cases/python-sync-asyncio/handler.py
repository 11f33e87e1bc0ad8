import asyncio


async def double(value):
    await asyncio.sleep(0.001)
    return value * 2


def handler(event, context):
    return asyncio.run(double(event))
