import asyncio

order = []


async def handler(event, context):
    await asyncio.sleep(event["ms"] / 1000)
    order.append(event["name"])
    return {"id": context.aws_request_id, "order": list(order)}
