// @aws-lambda-powertools/tracer: segments and annotations, captured methods and HTTP requests reach the X-Ray daemon
// set: _X_AMZN_TRACE_ID=Root=1-5759e988-bd862e3fe1be46a994272793;Parent=557abcec3ee5a047;Sampled=1
// set: POWERTOOLS_TRACE_ENABLED=true
// set: AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x
import { Tracer } from "@aws-lambda-powertools/tracer";

const tracer = new Tracer({ serviceName: "pets" });

export const handler = async (event) => {
  const mark = `powertools-${process.versions.v8}-${event.call}`;
  const parent = tracer.getSegment();
  const segment = parent.addNewSubsegment(mark);
  tracer.setSegment(segment);
  tracer.putAnnotation("kind", "test");
  tracer.putMetadata("more", { n: 1 });
  segment.close();
  tracer.setSegment(parent);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const taken = await (await fetch(`${process.env.API_URL}/taken/datagrams`)).json();
  const ours = taken.filter((text) => text.includes(mark)).map((text) => JSON.parse(text.split("\n")[1]));
  return ours.map(({ type, annotations, metadata }) => ({ type, annotations, metadata }));
};
