import { exact } from "@exact";
import { star } from "@lib/star";
import { second } from "@lib/second.js";
import { suffix } from "page.view";
import { longest } from "@lib/long/est";
import { based } from "based";
import { readFileSync } from "fs";
import data from "@data";
import { nested } from "./nested/file";

export const handler = () => ({
  exact,
  star,
  second,
  suffix,
  longest,
  base: based,
  builtin: typeof readFileSync,
  required: require("@lib/star").star,
  json: data.seven,
  nested,
  shadow: "function",
});
