"""Answers each event with one about it."""


def handler(event, context):
    return {**event, "id": f"{event['id']}-reply", "source": "/reply"}
