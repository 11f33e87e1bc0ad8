// A language runtime behind two named pipes: an event per line comes in by one, its answer goes out by the other.
// Arguments: the handler's file, the name of its function, the pipe of events, the pipe of answers.
import { openSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { pathToFileURL } from "node:url";

const [file, name, eventsPath, answersPath] = process.argv.slice(2);
const { [name]: handler } = await import(pathToFileURL(file));

// Opening waits for the core: once both are open, the runtime is ready.
const events = new Socket({ fd: openSync(eventsPath, "r"), readable: true, writable: false });
const answers = openSync(answersPath, "w");

async function answer(line) {
  writeFileSync(answers, `${JSON.stringify(await handler(JSON.parse(line)))}\n`);
}

const NEWLINE = 10;
let pieces = [];
// The core sends the next event only after it has read the answer to this one: no line follows another in one piece.
events.on("data", (piece) => {
  pieces.push(piece);
  if (piece[piece.length - 1] === NEWLINE) {
    const line = pieces.length === 1 ? piece : Buffer.concat(pieces);
    pieces = [];
    answer(line.toString());
  }
});
events.on("end", () => process.exit());
