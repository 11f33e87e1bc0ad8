import asyncio
import logging

logger = logging.getLogger("interleaving_logs")
logger.setLevel(logging.INFO)


async def handler(event, context):
    logger.info("before %s", event["say"])
    await asyncio.sleep(event["ms"] / 1000)
    logger.info("after %s", event["say"])
