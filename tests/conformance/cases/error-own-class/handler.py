class OutOfStock(Exception):
    pass


def fetch_item(item):
    raise OutOfStock(f"no {item} left")


def handler(event, context):
    return fetch_item(event["item"]) if event["item"] else "fine"
