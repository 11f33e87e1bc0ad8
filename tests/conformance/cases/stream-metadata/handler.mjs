export const handler = awslambda.streamifyResponse(async (_event, responseStream) => {
  const stream = awslambda.HttpResponseStream.from(responseStream, {
    statusCode: 201,
    headers: { "content-type": "text/html", "x-kind": "made" },
    cookies: ["a=b", "c=d; HttpOnly"],
  });
  stream.write("<p>");
  stream.end("made");
});
