"""Waits for several things at once, as for answers of several services, and tells the order in which they came.

The results stand in the order in which the waits were started. An `async def` handler is awaited on the event loop of
its worker.
"""

import asyncio


async def handler(event, context):
    finished = []

    async def wait(name, ms):
        await asyncio.sleep(ms / 1000)
        finished.append(name)
        return ms

    results = await asyncio.gather(*(wait(**one) for one in event.get("waits", [])))
    return {"finished": finished, "results": results}
