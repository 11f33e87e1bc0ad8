// needle: JSON, multipart, streams, time limits
const needle = require("needle");

exports.handler = async () => {
  const { API_URL } = process.env;
  const hello = await needle("get", `${API_URL}/hello?name=n`);
  const posted = await needle("post", `${API_URL}/echo`, { a: 1 }, { json: true });
  const file = await needle(
    "post",
    `${API_URL}/echo`,
    { file: { buffer: Buffer.from("abc"), filename: "a", content_type: "text/plain" } },
    { multipart: true },
  );
  const late = await needle("get", `${API_URL}/slow`, { response_timeout: 100 }).catch((error) => error.code);
  let lines = "";
  for await (const chunk of needle.get(`${API_URL}/lines`, {})) lines += chunk;
  return [hello.body, posted.body, file.body.type, late, lines];
};
