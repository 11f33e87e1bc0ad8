// Compiles an addon and loads it, because a repository is no place for machine code.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

function build() {
  const folder = mkdtempSync(join(tmpdir(), "conformance-addon-"));
  const file = join(folder, "addon.node");
  const undefinedSymbols = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
  const source = join(import.meta.dirname, "addon.c");
  execFileSync("cc", ["-shared", "-fPIC", ...undefinedSymbols, "-o", file, source]);
  const addon = createRequire(import.meta.url)(file);
  rmSync(folder, { recursive: true });
  return addon;
}

const { add } = build();

export const handler = (event) => add(event, 22);
