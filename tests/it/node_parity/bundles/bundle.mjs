// Makes bundles of `source` with the tools that are installed in a folder: bundle.mjs TOOLS TARGET
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [tools, target] = process.argv.slice(2);
const require = createRequire(join(tools, "tools.js"));
const source = join(dirname(fileURLToPath(import.meta.url)), "source");
const entry = join(source, "app.mjs");

function folder(name, type) {
  const made = join(target, name);
  mkdirSync(made, { recursive: true });
  writeFileSync(join(made, "package.json"), JSON.stringify({ type }));
  return made;
}

const esbuild = require("esbuild");
for (const [name, options] of Object.entries({
  "esbuild-cjs": { format: "cjs" },
  "esbuild-esm": { format: "esm", splitting: true },
  "esbuild-minified": { format: "cjs", minify: true, keepNames: true },
  "esbuild-es5ish": { format: "cjs", target: "es2017" },
})) {
  const outdir = folder(name, options.format === "esm" ? "module" : "commonjs");
  esbuild.buildSync({ entryPoints: [entry], bundle: true, platform: "node", outdir, sourcemap: true, ...options });
}

const { rollup } = require("rollup");
const plugins = [require("@rollup/plugin-commonjs")(), require("@rollup/plugin-json")()];
for (const format of ["cjs", "es"]) {
  const dir = folder(`rollup-${format}`, format === "es" ? "module" : "commonjs");
  const bundle = await rollup({ input: entry, plugins, external: [/^node:/, "path"], logLevel: "silent" });
  await bundle.write({ dir, format, sourcemap: true, exports: "named" });
  await bundle.close();
}

const webpack = require("webpack");
for (const [name, options] of Object.entries({
  "webpack-development": { mode: "development", devtool: "source-map" },
  "webpack-production": { mode: "production", devtool: "source-map" },
  "webpack-eval": { mode: "development", devtool: "eval" },
  "webpack-module": { mode: "production", experiments: { outputModule: true } },
})) {
  const isModule = options.experiments?.outputModule;
  const path = folder(name, isModule ? "module" : "commonjs");
  const library = { type: isModule ? "module" : "commonjs2" };
  const output = { path, filename: "app.js", library, chunkFormat: isModule ? "module" : "commonjs" };
  await new Promise((resolve, reject) =>
    webpack({ entry, target: "node", output, ...options }, (error, stats) =>
      error || stats.hasErrors() ? reject(error ?? new Error(stats.toString())) : resolve()
    )
  );
}

const ncc = require("@vercel/ncc");
const { code, assets } = await ncc(entry, { quiet: true, cache: false, sourceMap: true });
const made = folder("ncc", "module");
writeFileSync(join(made, "app.mjs"), code);
for (const [name, { source }] of Object.entries(assets)) {
  mkdirSync(dirname(join(made, name)), { recursive: true });
  writeFileSync(join(made, name), source);
}

const compiler = require.resolve("typescript/bin/tsc");
for (const [name, module, type] of [["tsc-commonjs", "commonjs", "commonjs"], ["tsc-module", "es2022", "module"]]) {
  const path = folder(name, type);
  const options = ["--outDir", path, "--module", module, "--target", "es2022", "--sourceMap", "--skipLibCheck", "--noCheck"];
  execFileSync(process.execPath, [compiler, ...options, join(source, "typed.ts")], { stdio: "inherit" });
  cpSync(join(path, "typed.js"), join(path, "app.js"));
}
