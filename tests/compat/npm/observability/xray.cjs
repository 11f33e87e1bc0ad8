// aws-xray-sdk, aws-xray-sdk-core: segments of HTTP requests, of promises and of clients of AWS reach the X-Ray daemon
// needs: aws
// set: LAMBDA_TASK_ROOT=
// set: AWS_XRAY_CONTEXT_MISSING=IGNORE_ERROR
delete process.env.LAMBDA_TASK_ROOT;
const xray = require("aws-xray-sdk");
const http = xray.captureHTTPs(require("http"));
const { ListBucketsCommand, S3Client } = require("@aws-sdk/client-s3");

exports.handler = async (event) => {
  const mark = `xray-${process.versions.v8}-${event.call}`;
  const segment = new xray.Segment(mark);
  await xray.getNamespace().runPromise(async () => {
    xray.setSegment(segment);
    await xray.captureAsyncFunc("work", async (sub) => {
      sub.addAnnotation("a", 1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      sub.close();
    });
    await new Promise((resolve, reject) =>
      http.get(`${process.env.API_URL}/hello`, (reply) => reply.resume().on("end", resolve)).on("error", reject),
    );
    await xray.captureAWSv3Client(new S3Client({ forcePathStyle: true })).send(new ListBucketsCommand({}));
    segment.close();
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const taken = await (await fetch(`${process.env.API_URL}/taken/datagrams`)).json();
  return taken
    .filter((text) => text.includes(mark))
    .map((text) => JSON.parse(text.split("\n")[1]))
    .map(({ subsegments = [] }) =>
      subsegments.map(({ name, annotations, namespace }) => [name.split(":")[0], annotations, namespace]),
    );
};
