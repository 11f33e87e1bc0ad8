import logging

logger = logging.getLogger()


def handler(event, context):
    logger.debug("hidden debug")
    logger.info("hidden info")
    logger.warning("shown warning")
    logger.error("shown error")
