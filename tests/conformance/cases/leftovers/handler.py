import asyncio

state = "started"


async def finish():
    global state
    await asyncio.sleep(0.02)
    state = "done"


async def handler(event, context):
    global task
    if event == "start":
        task = asyncio.create_task(finish())
    else:
        await asyncio.sleep(0.06)
    return state
