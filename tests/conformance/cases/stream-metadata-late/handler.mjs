export const handler = awslambda.streamifyResponse(async (_event, responseStream) => {
  responseStream.write(new Uint8Array([0x6f, 0x6e, 0x65]));
  awslambda.HttpResponseStream.from(responseStream, { statusCode: 201 });
});
