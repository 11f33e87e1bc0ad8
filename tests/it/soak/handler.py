# Does what the event asks for: answers, fails, never ends, leaves the process.
import asyncio
import sys


async def handler(event, context):
    what = event["do"]
    if what == "fail":
        raise TypeError(f"no {event['number']}")
    if what == "spin":
        while True:
            pass
    if what == "hang":
        await asyncio.sleep(600)
    if what == "exit":
        sys.exit(3)
    if what == "wait":
        await asyncio.sleep(0.001)
    stamps = context.state.get("stamps", [])
    return {"number": event["number"], "stamps": stamps, "pad": event["pad"]}
