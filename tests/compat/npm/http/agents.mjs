// agentkeepalive, form-data, follow-redirects: connections that are kept, multipart bodies and redirects of node:http
import Agent from "agentkeepalive";
import FormData from "form-data";
import follow from "follow-redirects";
import http from "node:http";

const { API_URL } = process.env;
const agent = new Agent({ maxSockets: 1 });

const read = async (reply) => {
  let text = "";
  for await (const chunk of reply) text += chunk;
  return text;
};
const get = (url, options) => new Promise((resolve, reject) => http.get(url, options, resolve).on("error", reject));

export const handler = async () => {
  const texts = [];
  for (let n = 0; n < 3; n++) texts.push(await read(await get(`${API_URL}/hello?name=${n}`, { agent })));
  const { createSocketCount, requestCount } = agent.getCurrentStatus();
  const form = new FormData();
  form.append("file", Buffer.from("content"), { filename: "a.txt" });
  const posted = await new Promise((resolve, reject) =>
    form.submit(`${API_URL}/echo`, (error, reply) => (error ? reject(error) : resolve(read(reply)))),
  );
  const redirected = await new Promise((resolve) =>
    follow.http.get(`${API_URL}/redirect`, async (reply) =>
      resolve([reply.responseUrl.replace(API_URL, ""), await read(reply)]),
    ),
  );
  return [texts, createSocketCount, requestCount >= 3, JSON.parse(posted).type, redirected];
};
