// elastic-apm-node: transactions and spans of requests reach a server
// set: ELASTIC_APM_SERVER_URL={API_URL}/apm
// set: ELASTIC_APM_SERVICE_NAME=npm
// set: ELASTIC_APM_CENTRAL_CONFIG=false
// set: ELASTIC_APM_METRICS_INTERVAL=0
// set: ELASTIC_APM_LOG_LEVEL=off
// set: ELASTIC_APM_CLOUD_PROVIDER=none
// In Lambda it sends to an extension of its own.
delete process.env.AWS_LAMBDA_FUNCTION_NAME;
const apm = require("elastic-apm-node").start({ apiRequestTime: "1s" });
const http = require("http");

exports.handler = async (event) => {
  const mark = `apm-${process.versions.v8}-${event.call}`;
  const transaction = apm.startTransaction(mark);
  await new Promise((resolve, reject) =>
    http.get(`${process.env.API_URL}/hello`, (reply) => reply.resume().on("end", resolve)).on("error", reject),
  );
  transaction.end();
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const taken = (await (await fetch(`${process.env.API_URL}/taken/apm`)).json()).join();
  return [taken.includes(mark), taken.includes("GET 127.0.0.1")];
};
