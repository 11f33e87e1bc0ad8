import { basename } from "path";
import { main } from "@acme/main";
import { twice } from "@acme/main/src/deep";
import { exported } from "@acme/exported/feature";
import { mapped } from "#mapped/file.js";
import { typed } from "typed";
import plain from "typed/plain/file";
import { self } from "typescript-packages/self";
import { b } from "mixed";

export const handler = async (event: number) => ({
  main,
  deep: twice(event),
  exported,
  map: mapped,
  source: typed,
  javascript: plain,
  self,
  lazy: (await import("@acme/main")).main,
  builtin: typeof basename,
  mixed: [b],
});
