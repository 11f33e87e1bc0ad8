// A program for bundlers: an event says what to do.
import { readFileSync } from "node:fs";
import * as path from "path";
import old, { named } from "./old.cjs";
import settings from "./settings.json" with { type: "json" };
import { Refused, refuse } from "./refused.mjs";

let calls = 0;

const table = {
  value: () => ({ answer: 6 * 7, calls: ++calls }),
  old: () => [old.kind, named, old.self()],
  settings: () => settings,
  builtin: () => [typeof readFileSync, path.join("a", "b")],
  lazy: async () => (await import("./lazy.mjs")).lazy(),
  refused: () => refuse("as asked"),
  caught: () => {
    try {
      refuse("inside");
    } catch (error) {
      return [error instanceof Refused, error.name, error.code];
    }
  },
  later: async () => {
    await null;
    return refuse("later");
  },
  logged: () => console.log("logged by a bundle", { calls }),
  classes: () => new (class Counter {
    #count = 1;
    static start = 2;
    get sum() {
      return this.#count + Counter.start;
    }
  })().sum,
};

export const handler = async (event, context) => {
  if (event.do === "request") {
    return typeof context.awsRequestId;
  }
  return await table[event.do]();
};
export const names = Object.keys(table);
