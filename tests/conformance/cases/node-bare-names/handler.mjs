import { readFile } from "fs/promises";
import { createHash } from "crypto";
import { EventEmitter } from "events";
import { builtinModules, isBuiltin } from "module";

export const handler = () => [
  typeof readFile,
  typeof createHash,
  typeof EventEmitter,
  builtinModules.includes("http"),
  isBuiltin("node:https"),
];
