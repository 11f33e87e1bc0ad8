// @opentelemetry/api, @opentelemetry/sdk-node, @opentelemetry/sdk-trace-node, @opentelemetry/exporter-trace-otlp-http, @opentelemetry/exporter-metrics-otlp-http: spans with context across timers, and metrics reach a collector
import { metrics, trace } from "@opentelemetry/api";
import { NodeSDK, metrics as sdkMetrics } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";

const place = `otel-npm-${process.versions.v8}`;
const processor = new BatchSpanProcessor(new OTLPTraceExporter({ url: `${process.env.API_URL}/${place}/traces` }));
const reader = new sdkMetrics.PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter({ url: `${process.env.API_URL}/${place}/metrics` }),
  exportIntervalMillis: 60000,
});
const sdk = new NodeSDK({
  serviceName: "pets",
  spanProcessors: [processor],
  metricReaders: [reader],
  instrumentations: [],
  resourceDetectors: [],
});
sdk.start();

export const handler = async (event) => {
  const tracer = trace.getTracer("t");
  await tracer.startActiveSpan(`outer-${event.call}`, async (outer) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await tracer.startActiveSpan(`inner-${event.call}`, async (inner) => {
      inner.setAttribute("a", 1);
      inner.recordException(new Error("broken"));
      inner.end();
    });
    outer.end();
  });
  metrics.getMeter("m").createCounter("pets").add(1, { kind: "cat" });
  await processor.forceFlush();
  await reader.forceFlush();
  const taken = (await (await fetch(`${process.env.API_URL}/taken/${place}`)).json()).map((text) =>
    JSON.parse(text.slice(text.indexOf("{"))),
  );
  const spans = taken
    .flatMap((one) => one.resourceSpans ?? [])
    .flatMap((one) => one.scopeSpans)
    .flatMap((one) => one.spans)
    .filter(({ name }) => name.endsWith(`-${event.call}`));
  const outer = spans.find(({ name }) => name.startsWith("outer"));
  const names = taken
    .flatMap((one) => one.resourceMetrics ?? [])
    .flatMap((one) => one.scopeMetrics)
    .flatMap((one) => one.metrics)
    .map(({ name }) => name);
  return [
    spans
      .map(({ name, parentSpanId, attributes, events }) => [
        name,
        parentSpanId === outer.spanId,
        attributes,
        events.map((one) => one.name),
      ])
      .sort(),
    [...new Set(names)],
  ];
};
