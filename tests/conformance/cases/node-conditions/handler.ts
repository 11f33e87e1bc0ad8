import addons from "conditional/addons";
import fallback from "conditional/fallback";
import kind from "conditional/kind";
import plain from "conditional";
import sync from "conditional/sync";
import internal from "#internal";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const handler = async () => ({
  plain,
  lazy: (await import("conditional")).default,
  required: require("conditional"),
  sync,
  syncRequired: require("conditional/sync"),
  addons,
  fallback,
  import: kind,
  require: require("conditional/kind"),
  internal,
});
