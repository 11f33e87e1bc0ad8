import asyncio
import contextvars

storage = contextvars.ContextVar("storage")


async def handler(event, context):
    storage.set(event["name"])
    await asyncio.sleep(event["ms"] / 1000)
    return storage.get()
