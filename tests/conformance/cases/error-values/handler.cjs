const values = new Map([
  ["string", "just text"],
  ["number", 42],
  ["boolean", true],
  ["nothing", null],
  ["table", { code: 7 }],
]);

exports.handler = async (event) => (values.has(event) ? Promise.reject(values.get(event)) : event);
