// One invocation: the event comes on stdin, the answer goes to stdout. Arguments: the handler's file, the name of its
// function, the files of its hooks.
const [file, name, ...hooks] = Deno.args;
const { [name]: handler } = await import(`file://${encodeURI(file)}`);

let event = await new Response(Deno.stdin.readable).json();
for (const hook of hooks) {
  const { before } = await import(`file://${encodeURI(hook)}`);
  event = await before(event);
}

const answer = new TextEncoder().encode(JSON.stringify(await handler(event)));
let written = 0;
while (written < answer.length) {
  written += Deno.stdout.writeSync(answer.subarray(written));
}
