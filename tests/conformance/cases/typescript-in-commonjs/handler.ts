const { add } = require("./add.ts");

exports.handler = (event: number) => ({ sum: add(event, 1) as number, require: typeof require });
