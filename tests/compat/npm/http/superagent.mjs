// superagent: queries, JSON, attachments, retries, errors
import superagent from "superagent";

const { API_URL } = process.env;

export const handler = async (event) => {
  const hello = await superagent.get(`${API_URL}/hello`).query({ name: "s" });
  const posted = await superagent.post(`${API_URL}/echo`).send({ n: 1 }).set("authorization", "Bearer t");
  const file = await superagent.post(`${API_URL}/echo`).attach("file", Buffer.from("content"), "a.txt").field("k", "v");
  const missing = await superagent.get(`${API_URL}/status/404`).catch((error) => error.status);
  const late = await superagent
    .get(`${API_URL}/slow`)
    .timeout(100)
    .catch((error) => error.code);
  const retried = await superagent.get(`${API_URL}/flaky/superagent-${process.versions.v8}-${event.call}`).retry(3);
  return [hello.body, posted.body, file.body.type, file.body.body.includes("content"), missing, late, retried.status];
};
