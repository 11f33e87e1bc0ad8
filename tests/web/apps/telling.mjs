// What the JavaScript applications in this folder have in common: notes of what happened, gates, and bytes as JSON.
import { createHash } from "node:crypto";

const noted = new Map();
const gates = new Map();

/** Notes something under a name. */
export function note(name, what) {
  noted.set(name, [...notes(name), what]);
}

/** What was noted under a name, in order. */
export function notes(name) {
  return noted.get(name) ?? [];
}

/** Notes the code or the name of what `attempt` throws. */
export async function noteFailure(name, attempt) {
  try {
    await attempt();
    note(name, "nothing thrown");
  } catch (error) {
    note(name, error.code ?? error.name);
  }
  note(name, "end");
}

/** A gate that one request waits at and another one opens. */
export function gate(name) {
  if (!gates.has(name)) {
    const made = {};
    made.opened = new Promise((open) => { made.open = open; });
    gates.set(name, made);
  }
  return gates.get(name);
}

/** A body as text, or how long it is and its digest where it is long. */
export function shown(bytes) {
  if (bytes.length > 1000) {
    return { length: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  return Buffer.from(bytes).toString("latin1");
}
