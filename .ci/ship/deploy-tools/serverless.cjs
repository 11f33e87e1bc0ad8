// `serverless` without an account: node serverless.cjs FOLDER ARGUMENT … runs the one in FOLDER/node_modules.
// Packaging layers asks CloudFormation which of them are deployed already; here nothing is, and nobody is asked.
const path = require("node:path");

const [folder, ...rest] = process.argv.slice(2);
const framework = path.join(folder, "node_modules", "serverless");
const aws = require(require.resolve("aws-sdk", { paths: [framework] }));

aws.Service.prototype.makeRequest = (operation) => ({
  promise: async () => {
    if (operation !== "describeStacks") {
      throw new Error(`no account to ask for ${operation}`);
    }
    throw Object.assign(new Error("Stack does not exist"), { code: "ValidationError", statusCode: 400 });
  },
});

const program = path.join(framework, "bin", "serverless.js");
process.argv.splice(1, 2 + rest.length, program, ...rest);
require(program);
