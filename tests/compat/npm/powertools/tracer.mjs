// @aws-lambda-powertools/tracer: segments and annotations, captured methods and HTTP requests reach the X-Ray daemon
// set: POWERTOOLS_TRACE_ENABLED=true
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
