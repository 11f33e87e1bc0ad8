// undici: request, fetch, pools with pipelining, streams, mocks, interceptors
import { Agent, MockAgent, Pool, fetch, interceptors, request, stream } from "undici";
import { Writable } from "node:stream";

const { API_URL } = process.env;

export const handler = async (event) => {
  const hello = await (await request(`${API_URL}/hello?name=u`)).body.json();
  const posted = await (await fetch(`${API_URL}/echo`, { method: "POST", body: "text" })).json();
  const pool = new Pool(API_URL, { connections: 2 });
  const many = await Promise.all(
    [1, 2, 3, 4].map(
      async (n) => (await (await pool.request({ path: `/hello?name=${n}`, method: "GET" })).body.json()).hello,
    ),
  );
  await pool.close();
  let lines = "";
  await stream(
    `${API_URL}/lines`,
    { method: "GET" },
    () =>
      new Writable({
        write(chunk, _, done) {
          lines += chunk;
          done();
        },
      }),
  );
  const retrying = new Agent().compose(interceptors.retry({ maxRetries: 3, minTimeout: 10, statusCodes: [503] }));
  const retried = await request(`${API_URL}/flaky/undici-${process.versions.v8}-${event.call}`, {
    dispatcher: retrying,
  });
  const mock = new MockAgent();
  mock.disableNetConnect();
  mock.get("http://mocked").intercept({ path: "/a" }).reply(200, { mocked: true });
  const mocked = await (await request("http://mocked/a", { dispatcher: mock })).body.json();
  const late = await request(`${API_URL}/slow`, { headersTimeout: 50 }).catch((error) => error.code);
  return [hello, posted, many, lines, retried.statusCode, mocked, late];
};
