// @aws-lambda-powertools/metrics: metrics in the embedded format, on the standard output
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";

export const handler = async () => {
  const metrics = new Metrics({ namespace: "pets", serviceName: "s" });
  const written = [];
  const log = console.log;
  metrics.console = {
    log: (line) => written.push(line),
    warn: () => {},
    error: () => {},
    info: () => {},
    debug: () => {},
  };
  metrics.addDimension("stage", "test");
  metrics.addMetric("count", MetricUnit.Count, 1);
  metrics.addMetric("count", MetricUnit.Count, 2);
  metrics.addMetadata("id", "7");
  const whole = metrics.serializeMetrics();
  metrics.publishStoredMetrics();
  whole._aws.Timestamp = 0;
  return [whole, written.length, log === console.log];
};
