import { kind } from "./helper.cjs";

export const handler = () => ({
  url: import.meta.url.split("/").at(-1),
  helper: kind,
  require: typeof require,
});
