# ddtrace, prometheus-client, statsd: spans reach an agent, metrics a sink and a text
# set: DD_SERVICE=py-dd
# set: DD_INSTRUMENTATION_TELEMETRY_ENABLED=false
# set: DD_REMOTE_CONFIGURATION_ENABLED=false
# set: AWS_LAMBDA_FUNCTION_NAME=
import os
import time
import prometheus_client
import statsd
from ddtrace import patch
from ddtrace.trace import tracer

patch(requests=True)
import requests

API = os.environ["API_URL"]


def handler(event, context):
    mark = f"dd-py-{os.getpid()}-{event['call']}"
    with tracer.trace(mark):
        requests.get(f"{API}/hello")
    taken = []
    for _ in range(40):
        tracer.flush()
        time.sleep(0.2)
        for place in ("v0.4", "v0.5", "v1.0"):
            taken += [text for text in requests.get(f"{API}/taken/{place}").json() if mark in text]
        if taken:
            break
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("pets", "Pets.", ["kind"], registry=registry).labels("cat").inc(2)
    statsd.StatsClient("127.0.0.1", int(os.environ["UDP_PORT"])).incr(mark)
    time.sleep(0.2)
    datagrams = requests.get(f"{API}/taken/datagrams").json()
    return [
        bool(taken),
        "requests.request" in "".join(taken),
        prometheus_client.generate_latest(registry).decode().splitlines()[2],
        f"{mark}:1|c" in datagrams,
    ]
