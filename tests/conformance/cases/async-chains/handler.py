import asyncio


async def handler(event, context):
    order = []

    async def double(number):
        await asyncio.sleep(number * 0.1)
        order.append(number)
        return number * 2

    results = await asyncio.gather(*map(double, event))
    return {"results": results, "order": order}
