import asyncio


async def before(event, context):
    context.state["n"] = event["n"]
    await asyncio.sleep(0.005)


async def after(response, context):
    await asyncio.sleep(0.005)
    return [response["n"], context.state["n"]]
