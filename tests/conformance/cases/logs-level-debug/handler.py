import logging


def handler(event, context):
    logging.debug("shown debug")
    logging.info("shown info")
