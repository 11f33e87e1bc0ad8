"""Confirms orders: a CloudEvent of the type `order.placed` is answered with one of the type `order.confirmed`.

Served with `--event-format cloudevents`, the event is the object of CloudEvents' JSON format, in whichever mode it came;
a result with `specversion`, `id`, `source` and `type` goes out as an event.
"""


def handler(event, context):
    if event.get("type") != "order.placed":
        return {"ignored": event.get("type") or "no event"}
    data = event["data"]
    return {
        "specversion": "1.0",
        "id": f"{event['id']}-confirmed",
        "source": "/confirmations",
        "type": "order.confirmed",
        "subject": data["order"],
        "data": {
            "order": data["order"],
            "total": sum(item["price"] * item["quantity"] for item in data["items"]),
        },
    }
