import logging

logging.warning("before the failure")
raise ValueError("while loading")
