# opentelemetry-sdk, opentelemetry-exporter-otlp-proto-http, opentelemetry-instrumentation-requests, opentelemetry-instrumentation-urllib3, opentelemetry-instrumentation-botocore: spans, of requests and of boto3 as well, and metrics reach a collector
# needs: aws
import os
import boto3
import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

API = os.environ["API_URL"]
PLACE = f"otel-py-{os.getpid()}"
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{API}/{PLACE}/traces")))
trace.set_tracer_provider(provider)
meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(f"{API}/{PLACE}/metrics"), 60000)])
for instrumentor in (RequestsInstrumentor, BotocoreInstrumentor):
    instrumentor().instrument()


def handler(event, context):
    with trace.get_tracer("t").start_as_current_span("outer") as span:
        span.set_attribute("a", 1)
        header = requests.get(f"{API}/hello").request.headers["traceparent"]
        boto3.client("sts").get_caller_identity()
    meters.get_meter("m").create_counter("pets").add(1)
    provider.force_flush()
    meters.force_flush()
    taken = "".join(requests.get(f"{API}/taken/{PLACE}").json())
    provider.force_flush()
    return [
        f"{span.get_span_context().trace_id:032x}" in header,
        [word in taken for word in ("outer", "GET", "STS.GetCallerIdentity", "pets")],
    ]
