// yaml, js-yaml, toml, ini, json5, jsonpath-plus, jmespath, jsonata: configuration files and queries
import YAML from "yaml";
import * as jsYaml from "js-yaml";
import * as toml from "toml";
import ini from "ini";
import JSON5 from "json5";
import { JSONPath } from "jsonpath-plus";
import jmespath from "jmespath";
import jsonata from "jsonata";

const text = "a: &x [1, 2.5, é]\nb: *x\nc: {d: null, e: 2026-01-01}\n";
const data = {
  pets: [
    { n: 1, k: "cat" },
    { n: 2, k: "dog" },
  ],
};

export const handler = async () => [
  YAML.parse(text),
  YAML.stringify({ a: ["x: y", null] }),
  jsYaml.load(text),
  jsYaml.dump({ a: [1] }),
  toml.parse('[a]\nb = 1\nc = ["x"]'),
  ini.parse("[a]\nb=1"),
  JSON5.parse("{a: 'b', /* c */ d: .5,}"),
  JSONPath({ path: "$..n", json: data }),
  jmespath.search(data, "pets[?k=='dog'].n | [0]"),
  await jsonata("$sum(pets.n)").evaluate(data),
];
