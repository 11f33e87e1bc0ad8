import url from "node:url";
import util from "node:util";

const failing = (call) => {
  try {
    return call();
  } catch (error) {
    const { name, message, code, input, base, stack } = error;
    return { name, message, code, input, base, place: stack.includes("handler."), own: !stack.includes("ext:") };
  }
};

export const handler = () => {
  class Own extends URL {}
  const own = new Own("/a?b=1", "http://host");
  return {
    alone: failing(() => new URL("no url")),
    based: failing(() => new URL("/path", "no base")),
    class_only: failing(() => URL("http://host")).name,
    missing: failing(() => new URL()).name,
    asked: [URL.canParse("x"), URL.canParse("http://host"), URL.parse("x"), URL.parse("/a", "http://host").href],
    same: [own instanceof url.URL, own instanceof URL, own.constructor === Own, URL.prototype.constructor === URL],
    own: [own.href, own.searchParams.get("b"), Object.prototype.toString.call(own)],
    shape: [URL.name, URL.length, Object.keys(globalThis).includes("URL"), typeof URL.createObjectURL],
    inspected: util.inspect(new URL("http://host/a")).split("\n")[0],
  };
};
