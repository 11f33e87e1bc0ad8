// nock: mocks of node:http and fetch
import nock from "nock";
import http from "node:http";

export const handler = async () => {
  nock("http://mocked.test").get("/a").reply(200, { mocked: 1 }).post("/b", { n: 1 }).reply(201, "made");
  const text = await new Promise((resolve, reject) =>
    http
      .get("http://mocked.test/a", (reply) => {
        let body = "";
        reply.on("data", (chunk) => (body += chunk)).on("end", () => resolve(body));
      })
      .on("error", reject),
  );
  const made = await fetch("http://mocked.test/b", {
    method: "POST",
    body: '{"n":1}',
    headers: { "content-type": "application/json" },
  });
  const told = [text, made.status, await made.text(), nock.isDone()];
  nock.cleanAll();
  nock.restore();
  nock.activate();
  return told;
};
