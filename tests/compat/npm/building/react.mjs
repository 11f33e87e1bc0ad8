// react, react-dom, vue: pages rendered on the server, whole and as streams
import React from "react";
import { renderToPipeableStream, renderToString } from "react-dom/server";
import { createSSRApp, h } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";
import { PassThrough } from "node:stream";

const e = React.createElement;

export const handler = async () => {
  const Late = React.lazy(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return { default: () => e("b", null, "late") };
  });
  const page = e(React.Suspense, { fallback: "…" }, e(Late));
  const streamed = await new Promise((resolve, reject) => {
    let text = "";
    const sink = new PassThrough();
    sink.on("data", (chunk) => (text += chunk)).on("end", () => resolve(text));
    const { pipe } = renderToPipeableStream(page, { onAllReady: () => pipe(sink), onError: reject });
  });
  return [
    renderToString(e("p", { className: "a" }, "<é>")),
    streamed.includes("<b>late</b>"),
    await renderVue(
      createSSRApp({
        data: () => ({ n: 1 }),
        render() {
          return h("p", this.n);
        },
      }),
    ),
  ];
};
