const encoder = new TextEncoder();

async function* parts(fails) {
  yield encoder.encode("one");
  if (fails) {
    throw new RangeError("not today");
  }
  yield encoder.encode("two");
}

const answers = {
  text: () =>
    new Response("hé", {
      status: 201,
      headers: [["x-a", "1"], ["x-a", "2"], ["set-cookie", "a=1; Path=/"], ["set-cookie", "b=2"]],
    }),
  stream: async () => new Response(ReadableStream.from(parts(false))),
  nothing: () => new Response(null, { status: 204 }),
  fails: () => new Response(ReadableStream.from(parts(true))),
  error: () => Response.error(),
  read: async () => {
    const response = new Response("read");
    await response.text();
    return response;
  },
};

export const handler = (event) => answers[event]();
