import asyncio


async def handler(event, context):
    before = context.get_remaining_time_in_millis()
    await asyncio.sleep(0.02)
    after = context.get_remaining_time_in_millis()
    return {"within": event["from"] <= before <= event["to"], "counts": after <= before - 15}
