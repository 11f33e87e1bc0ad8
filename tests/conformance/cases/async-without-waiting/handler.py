async def nothing(value):
    return value


async def handler(event, context):
    return await nothing(event)
