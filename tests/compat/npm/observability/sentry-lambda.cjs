// @sentry/aws-serverless: a wrapped handler whose error reaches a server before its answer
const Sentry = require("@sentry/aws-serverless");

const place = `${8000 + Number(process.versions.v8.split(".")[0])}`;
Sentry.init({ dsn: process.env.SENTRY_DSN.replace(/1$/, place), tracesSampleRate: 1 });
const wrapped = Sentry.wrapHandler(async (event) => {
  throw new RangeError(`lambda-${event.call}`);
});

exports.handler = async (event, context) => {
  const failed = await Promise.resolve(wrapped(event, context)).catch((error) => error.message);
  const taken = (await (await fetch(`${process.env.API_URL}/taken/api`)).json()).filter(
    (text) => text.includes(`/${place}/`) && text.includes(`lambda-${event.call}`),
  );
  return [failed, taken.some((text) => text.includes('"RangeError"'))];
};
