"""The SDK for CloudEvents in Python sends events in each mode, and reads what comes back."""

import datetime
import json
import sys
import urllib.request

from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

endpoint = sys.argv[1]
about = {
    "source": "/shop",
    "type": "order.paid",
    "subject": "größe 50%",
    "time": datetime.datetime(2026, 1, 31, 10, tzinfo=datetime.timezone.utc),
    "specversion": "1.0",
    "count": 7,
    "flag": True,
}
events = {
    "json": ({"datacontenttype": "application/json"}, {"text": 'é "quoted"', "list": [1, None]}),
    "text": ({"datacontenttype": "text/plain"}, "plain é"),
    "bytes": ({"datacontenttype": "application/octet-stream"}, bytes([0, 1, 254, 255])),
    "empty": ({}, None),
}


def plain(event):
    data = event.get_data()
    attributes = event.get_attributes()
    return {
        "id": event.get_id(),
        "type": event.get_type(),
        "source": event.get_source(),
        "subject": event.get_subject(),
        "time": event.get_time().isoformat(),
        "count": str(attributes["count"]),
        "flag": str(attributes["flag"]).lower(),
        "data": list(data) if isinstance(data, bytes) else data,
    }


found = {}
for language in ("javascript", "python", "lua"):
    for name, (more, data) in events.items():
        for mode in ("binary", "structured"):
            event = CloudEvent({"id": f"{name}-1", **about, **more}, data)
            message = getattr(http, f"to_{mode}")(event, JSONFormat())
            accept = {"Accept": "application/cloudevents+json"} if mode == "structured" else {}
            request = urllib.request.Request(f"{endpoint}/{language}", message.body, {**message.headers, **accept}, method="POST")
            with urllib.request.urlopen(request) as answer:
                headers, body = dict(answer.headers.items()), answer.read()
            try:
                reply = plain(http.from_http(http.HTTPMessage(headers, body), JSONFormat()))
            except Exception as error:
                reply = f"{type(error).__name__}: {error}: {headers} {body}"
            found[f"{language} {name} {mode}"] = [answer.status, plain(event), reply]
print(json.dumps(found))
