// iconv-lite, qs, change-case, fast-json-stringify, mime-types, file-type, semver: encodings, queries, cases, types of files, versions
import iconv from "iconv-lite";
import qs from "qs";
import { camelCase, kebabCase } from "change-case";
import fastJson from "fast-json-stringify";
import mime from "mime-types";
import { fileTypeFromBuffer } from "file-type";
import semver from "semver";

export const handler = async () => [
  iconv.decode(Buffer.from([0xe9, 0x80]), "windows-1252"),
  [...iconv.encode("日本", "shift_jis")],
  qs.parse("a[b]=1&a[c][]=2"),
  qs.stringify({ a: [1, 2] }),
  camelCase("foo-bar"),
  kebabCase("fooBar"),
  fastJson({ type: "object", properties: { a: { type: "string" }, n: { type: "integer" } } })({ a: "é", n: 1.5 }),
  mime.lookup("a.json"),
  await fileTypeFromBuffer(Buffer.from("89504e470d0a1a0a0000000d494844520000000100000001080600000000000000", "hex")),
  semver.maxSatisfying(["1.2.3", "1.9.0", "2.0.0"], "^1.2"),
];
