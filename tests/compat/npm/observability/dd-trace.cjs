// dd-trace: spans of its own, of requests and of PostgreSQL are in the log, as in Lambda without its extension
// needs: postgres
// set: NODE_OPTIONS=--require dd-trace/init
// set: DD_SERVICE=npm-dd
// set: DD_INSTRUMENTATION_TELEMETRY_ENABLED=false
// set: DD_REMOTE_CONFIGURATION_ENABLED=false
// set: DD_TRACE_STARTUP_LOGS=false
const tracer = require("dd-trace");
const http = require("http");
const { Client } = require("pg");

const written = [];
const write = process.stdout.write;
process.stdout.write = function (chunk, ...rest) {
  if (String(chunk).includes('"traces"')) written.push(String(chunk));
  return write.call(this, chunk, ...rest);
};

exports.handler = async () => {
  written.length = 0;
  await tracer.trace("work", async () => {
    await new Promise((resolve, reject) =>
      http.get(`${process.env.API_URL}/hello`, (reply) => reply.resume().on("end", resolve)).on("error", reject),
    );
    const client = new Client();
    await client.connect();
    await client.query("select 1");
    await client.end();
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const spans = written.flatMap((line) => JSON.parse(line).traces.flat());
  const root = spans.find(({ name }) => name === "work");
  return spans.map(({ name, parent_id }) => [name, parent_id === root?.span_id]).sort();
};
