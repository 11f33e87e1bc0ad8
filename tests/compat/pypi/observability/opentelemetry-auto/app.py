# opentelemetry-distro, opentelemetry-instrumentation-aws-lambda: instrumentation of a handler in its own file, named by _HANDLER
import importlib
import os
from opentelemetry import trace
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
os.environ["_HANDLER"] = "work.handler"
AwsLambdaInstrumentor().instrument(tracer_provider=provider)


def handler(event, context):
    exporter.clear()
    answer = importlib.import_module("work").handler(event, context)
    return [
        answer,
        [
            [span.name, span.kind.name, sorted(name for name in span.attributes if name.startswith("faas"))]
            for span in exporter.get_finished_spans()
        ],
    ]
