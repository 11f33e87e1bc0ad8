const lines = [
  "context: no",
  "text: ext: yes",
  "    at fake (ext:foo/bar.js:1:1)",
  "    at node:internal/x:1:1",
  '  File "x.py", line 1, in f',
  "x.lua:1: in function 'f'",
];

const fail = () => { throw new Error(lines.join("\n")); };

export const handler = () => fail();
