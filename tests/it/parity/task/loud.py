import logging

print("while loading")
logging.warning("logged while loading")


def handler(event, context):
    print("while called")
