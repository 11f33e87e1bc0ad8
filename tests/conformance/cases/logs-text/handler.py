import logging
import sys

print("at the start")
logger = logging.getLogger("logs_text")


def handler(event, context):
    logger.info("not wanted")
    logger.warning("warn %d%%", 50)
    logger.error("error")
    logger.critical("fatal")
    print("printed as it is")
    print("two\nlines")
    print("to stderr", file=sys.stderr)
