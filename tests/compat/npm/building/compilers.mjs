// @babel/core, acorn, terser, postcss, uglify-js, prettier: code parsed, changed, made small, formatted
import babel from "@babel/core";
import * as acorn from "acorn";
import { minify } from "terser";
import postcss from "postcss";
import uglify from "uglify-js";
import prettier from "prettier";

export const handler = async () => [
  (
    await babel.transformAsync("const a = 1;", {
      configFile: false,
      plugins: [
        ({ types: t }) => ({
          visitor: {
            NumericLiteral(path) {
              path.node.value = 2;
              path.node.extra = undefined;
            },
          },
        }),
      ],
    })
  ).code,
  acorn.parse("a?.b", { ecmaVersion: 2022 }).body[0].expression.type,
  (await minify("function f(long) { return long + 1 + 2 } console.log(f(1))")).code,
  (
    await postcss([
      {
        postcssPlugin: "p",
        Declaration(it) {
          if (it.value === "red") it.value = "blue";
        },
      },
    ]).process("a{color:red}", { from: undefined })
  ).css,
  uglify.minify("var a = function (x) { return x + 1 }").code,
  await prettier.format("const a={b:1}", { parser: "babel" }),
];
