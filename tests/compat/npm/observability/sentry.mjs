// @sentry/node: an error with its frame and spans reach a server
import * as Sentry from "@sentry/node";

const place = `${9000 + Number(process.versions.v8.split(".")[0])}`;
Sentry.init({ dsn: process.env.SENTRY_DSN.replace(/1$/, place), tracesSampleRate: 1, release: "1" });

export const handler = async (event) => {
  const mark = `sentry-${event.call}`;
  await Sentry.startSpan({ name: mark, op: "test" }, async () => {
    Sentry.addBreadcrumb({ message: "crumb" });
    Sentry.setTag("kind", "cat");
    Sentry.captureException(new TypeError(`${mark} broken`));
    await Sentry.startSpan({ name: "inner" }, async () => {});
  });
  await Sentry.flush(5000);
  const taken = (await (await fetch(`${process.env.API_URL}/taken/api`)).json())
    .filter((text) => text.includes(`/${place}/`) && text.includes(mark))
    .flatMap((text) => text.slice(text.indexOf("{")).split("\n"))
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const error = taken.find((item) => item.exception);
  const spans = taken.flatMap((item) => item.items ?? []).map(({ name }) => name);
  return [
    error?.exception.values.map(({ type, value, stacktrace }) => [
      type,
      value,
      stacktrace.frames.some(({ filename }) => filename.includes("index.mjs")),
    ]),
    error?.tags,
    error?.breadcrumbs?.map(({ message }) => message).filter(Boolean),
    spans.sort(),
  ];
};
