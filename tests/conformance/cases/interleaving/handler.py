import asyncio

sent = asyncio.Queue()


async def handler(event, context):
    if "wait" in event:
        return await sent.get()
    await sent.put(event["send"])
    return "sent"
