exports.handler = globalThis.awslambda?.streamifyResponse(async (event, stream) => {
  const to = event.http ? awslambda.HttpResponseStream.from(stream, { statusCode: 201 }) : stream;
  for (let number = 0; number < 3; number++) {
    to.write(`${number}\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (event.fail) throw new Error('in mid-stream');
  to.end();
});
