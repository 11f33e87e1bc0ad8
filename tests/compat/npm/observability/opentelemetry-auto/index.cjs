// @opentelemetry/auto-instrumentations-node: an agent that is loaded first: spans of requests with node:http, of fetch, of PostgreSQL and Redis
// needs: postgres, redis
// set: NODE_OPTIONS=--require {folder}/agent.cjs
const http = require("node:http");
const pg = require("pg");
const Redis = require("ioredis");

exports.handler = async (event) => {
  globalThis.otelSpans.length = 0;
  await new Promise((resolve, reject) =>
    http.get(`${process.env.API_URL}/hello`, (reply) => reply.resume().on("end", resolve)).on("error", reject),
  );
  await (await fetch(`${process.env.API_URL}/hello`)).text();
  const client = new pg.Client();
  await client.connect();
  await client.query("select 1");
  await client.end();
  const redis = new Redis(process.env.REDIS_URL);
  await redis.ping();
  await redis.quit();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return [...new Set(globalThis.otelSpans.map((span) => span.instrumentationScope.name))].sort();
};
