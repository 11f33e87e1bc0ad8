// axios: GET with a query, JSON and forms, errors, time limit, abort, stream, TLS
import axios from "axios";

const { API_URL, API_TLS_URL } = process.env;

export const handler = async () => {
  const client = axios.create({ baseURL: API_URL, headers: { authorization: "Bearer t" } });
  const hello = await client.get("/hello", { params: { name: "ä" } });
  const posted = await client.post("/echo?q=1", { n: 1 });
  const form = await client.post("/echo", new URLSearchParams({ a: "b" }));
  const missing = await client.get("/status/404").catch((error) => [error.code, error.response.status]);
  const late = await client.get("/slow", { timeout: 100 }).catch((error) => error.code);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  const aborted = await client.get("/slow", { signal: controller.signal }).catch((error) => error.code);
  const refused = await axios.get("http://127.0.0.1:1/").catch((error) => error.code);
  const stream = await client.get("/lines", { responseType: "stream" });
  let lines = "";
  for await (const chunk of stream.data) lines += chunk;
  const bytes = await client.get("/bytes/1024", { responseType: "arraybuffer" });
  const packed = await client.get("/gzip");
  const redirected = await client.get("/redirect");
  const secure = await axios.get(`${API_TLS_URL}/hello`);
  return [
    hello.data,
    hello.headers["x-kind"],
    posted.data,
    form.data,
    missing,
    late,
    aborted,
    refused,
    lines,
    bytes.data.length,
    packed.data.packed.length,
    redirected.data,
    redirected.request.path,
    secure.data,
  ];
};
