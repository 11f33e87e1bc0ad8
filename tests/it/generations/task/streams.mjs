// Handlers that write their answers as streams, in the form that Lambda's own runtimes have for it.

const { HttpResponseStream, streamifyResponse } = globalThis.awslambda;

export const text = streamifyResponse(async (event, stream) => {
  stream.write(`${event.n} `);
  stream.end("chunks");
});
export const typed = streamifyResponse(async (_event, stream) => {
  stream.setContentType("text/plain");
  stream.write({ a: 1 });
  stream.end();
});
export const prelude = streamifyResponse(async (_event, stream) => {
  const http = HttpResponseStream.from(stream, { statusCode: 201, headers: { a: "b" } });
  http.write("body");
  http.end();
});
export const value = streamifyResponse(async (_event, stream) => {
  stream.end("written");
  return "returned";
});
export const contextMembers = streamifyResponse(async (_event, stream, context) => {
  stream.end(JSON.stringify(Object.keys(context).sort()));
});
export const failsAtOnce = streamifyResponse(async () => {
  throw new TypeError("at once");
});
export const failsLater = streamifyResponse(async (_event, stream) => {
  stream.write("begun");
  throw new TypeError("later");
});
export const notAsync = streamifyResponse((_event, stream) => {
  stream.write("begun");
});
export const contentTypeTooLate = streamifyResponse(async (_event, stream) => {
  stream.write("begun");
  stream.setContentType("text/plain");
});
