// One invocation: the event comes on stdin, the answer goes to stdout. Arguments: the handler's file, the name of its
// function, the files of its hooks.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [file, name, ...hooks] = process.argv.slice(2);
const { [name]: handler } = await import(pathToFileURL(file));

let event = JSON.parse(readFileSync(0, "utf8"));
for (const hook of hooks) {
  const { before } = await import(pathToFileURL(hook));
  event = await before(event);
}
writeFileSync(1, JSON.stringify(await handler(event)));
