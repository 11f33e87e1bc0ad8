// Fails as the query asks (`?fail=NotFound&message=no+such+pet`), or calls a URL (`?url=…&times=2`): so many times
// with `fetch`, and once with `node:http`.
import http from "node:http";

function get(url) {
  return new Promise((resolve, reject) => {
    http.get(url, (response) => response.resume().on("end", resolve)).on("error", reject);
  });
}

export const handler = async (event) => {
  const { fail, message, statusCode, url, times = 1 } = event.queryStringParameters ?? event;
  if (fail) {
    const error = Object.assign(new Error(message), { name: fail });
    throw statusCode ? Object.assign(error, { statusCode: Number(statusCode) }) : error;
  }
  for (let time = 0; time < Number(times); time++) {
    await (await fetch(url)).text();
  }
  await get(url);
  return { calls: Number(times) + 1 };
};
