import cjs, { kind } from "./cjs.cjs";
import * as namespace from "./cjs.cjs";
import compiled, { named } from "./compiled.cjs";
export const seen = [kind, cjs.kind, Object.keys(namespace).sort(), typeof compiled, named, namespace.default === cjs];
