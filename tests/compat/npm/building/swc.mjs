// @swc/core, esbuild, sass: compilers by native addons, by a process, without native code
import swc from "@swc/core";
import * as esbuild from "esbuild";
import * as sass from "sass";

export const handler = async () => {
  const { code } = await swc.transform("const a: number = 1 as any;", {
    jsc: { parser: { syntax: "typescript" }, target: "es2022" },
  });
  const built = await esbuild.build({
    stdin: { contents: "import { x } from './y'; console.log(x satisfies number)", loader: "ts", resolveDir: "/" },
    bundle: true,
    write: false,
    plugins: [
      {
        name: "p",
        setup(build) {
          build.onResolve({ filter: /y$/ }, () => ({ path: "y", namespace: "n" }));
          build.onLoad({ filter: /.*/, namespace: "n" }, () => ({ contents: "export const x = 7" }));
        },
      },
    ],
  });
  await esbuild.stop();
  return [
    code,
    built.outputFiles[0].text,
    esbuild.transformSync("let a = <b/>", { loader: "jsx" }).code,
    sass.compileString("$a: 1px; b { c { width: $a * 2 } }").css,
  ];
};
