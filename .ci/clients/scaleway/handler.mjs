// Answers by the path of the event; the same as handler.py does.
const results = {
  "/response": { statusCode: 201, headers: { "Content-Type": "text/x-own", "X-Own": "1" }, body: "made" },
  "/no-body": { statusCode: 204 },
  "/object-body": { statusCode: 200, body: { an: ["object"] } },
  "/base64": { statusCode: 200, headers: { "Content-Type": "image/x-own" }, body: "aGkh", isBase64Encoded: true },
  "/status-as-text": { statusCode: "202", body: "accepted" },
  "/error-status": { statusCode: 503, body: "again" },
  "/plain-object": { message: "no response" },
  "/text": "a text",
  "/number": 12,
  "/list": [1, 2],
  "/empty-text": "",
  "/true": true,
  "/nothing": null,
};

export const handle = (event) => {
  if (event.path === "/fail") {
    throw new Error("no anvil left");
  }
  if (Object.hasOwn(results, event.path)) {
    return results[event.path];
  }
  return { statusCode: 200, headers: { "Content-Type": "application/json" }, body: JSON.stringify(event) };
};
