import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";

export const handler = async (event) => {
  const { stdout } = await promisify(execFile)("echo", [event]);
  return [stdout.trim(), execFileSync("echo", [event], { encoding: "utf8" }).trim()];
};
