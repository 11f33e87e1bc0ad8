import logging

logger = logging.getLogger("logs_json")
logger.setLevel("INFO")


def handler(event, context):
    logger.info('plain "text"')
    logger.warning("with extra", extra={"a": [1]})
    logger.error("two\nlines")
    try:
        raise ValueError("odd")
    except ValueError:
        logger.exception("failed")
