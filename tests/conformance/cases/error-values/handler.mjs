const values = new Map([
  ["string", "just text"],
  ["number", 42],
  ["boolean", true],
  ["nothing", null],
  ["table", { code: 7 }],
]);

export const handler = (event) => {
  if (values.has(event)) {
    throw values.get(event);
  }
  return event;
};
