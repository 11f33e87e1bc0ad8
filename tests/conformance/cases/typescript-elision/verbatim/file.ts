import { loaded } from "../loaded";
import { kept } from "./kept";
import type { gone } from "./gone";

loaded.push("verbatim", ...(globalThis as { found?: string[] }).found ?? []);
export type Both = typeof kept | typeof gone;
