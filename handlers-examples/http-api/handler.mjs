// A notes API on Lambda's HTTP payload format 2.0:
//   GET /notes        the ids of all notes
//   POST /notes       makes a note of {"title": …, "text": …}; its id comes from the title
//   GET /notes/{id}   the text of one
//   DELETE /notes/{id}

import { Buffer } from "node:buffer";

// State of the module lives as long as its instance, and every worker has an instance of its own: fine for a cache or
// a demonstration, not for data that matters.
const notes = new Map();

const onAll = { GET: list, POST: create };
const onOne = { GET: read, DELETE: remove };

export const handler = async (event) => {
  // Served below /http-api/js, the function sees the path below that.
  const path = event.rawPath;
  // The bare address stands for the list.
  const [collection = "notes", id, ...rest] = path.split("/").filter((segment) => segment !== "");
  if (collection !== "notes" || rest.length > 0) {
    return problem(404, `there is nothing at /${path.replace(/^\/+/, "")}`);
  }
  const methods = id === undefined ? onAll : onOne;
  const { method } = event.requestContext.http;
  if (!Object.hasOwn(methods, method)) {
    const allow = Object.keys(methods).join(", ");
    return problem(405, `${method} is not one of ${allow}`, { allow });
  }
  return methods[method](event, id);
};

function list() {
  return json(200, { notes: [...notes.keys()].sort() });
}

function create(event) {
  let note;
  try {
    note = JSON.parse(bodyOf(event));
  } catch {
    return problem(400, "the body is not valid JSON");
  }
  const { title, text } = note ?? {};
  if (typeof title !== "string" || typeof text !== "string") {
    return problem(400, "a note has a title and a text");
  }
  const id = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  if (id === "") {
    return problem(400, "the title has neither letters nor digits");
  }
  notes.set(id, text);
  // What goes back to the client has to name the whole path.
  const here = `${event.basePath ?? ""}${event.rawPath}`.replace(/\/+$/, "");
  return {
    ...json(201, { id }, { location: `${here}/${id}` }),
    // Each item becomes a Set-Cookie header of its own, which `headers` could not express.
    cookies: [`last-note=${id}; HttpOnly; SameSite=Lax`],
  };
}

function read(event, id) {
  if (!notes.has(id)) {
    return problem(404, `there is no note '${id}'`);
  }
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return { statusCode: 200, headers, body: notes.get(id) };
}

function remove(event, id) {
  return notes.delete(id) ? { statusCode: 204 } : problem(404, `there is no note '${id}'`);
}

// Types that are not text for sure arrive as base64. That of `curl -d` without a content-type header is one of them.
function bodyOf({ body = "", isBase64Encoded }) {
  return isBase64Encoded ? Buffer.from(body, "base64").toString() : body;
}

function json(statusCode, value, headers) {
  return {
    statusCode,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

function problem(statusCode, message, headers) {
  return json(statusCode, { message }, headers);
}
