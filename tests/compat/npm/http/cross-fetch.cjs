// cross-fetch: GET and POST from CommonJS
const fetch = require("cross-fetch");

exports.handler = async () => {
  const reply = await fetch(`${process.env.API_URL}/echo?a=1`, {
    method: "POST",
    body: JSON.stringify({ b: 2 }),
    headers: { "content-type": "application/json" },
  });
  return [reply.status, await reply.json(), (await fetch(`${process.env.API_URL}/status/500`)).ok];
};
