// The rules that handlers are called by, as `TRINE_NODE_RULES` says: see `rules.rs`.

/** Those of Lambda's runtimes for Node.js 16 to 22. */
export let isOlder = false;
/** Those of its runtimes from Node.js 24 on. */
export let isNewer = false;
/** What either of them allows, and more. */
export let isPermissive = true;
/** Whether it is Node.js 22 that has the newer rules, as it has where invocations run side by side. */
export let isManaged22 = false;

/** Sets them, before any guest's code runs. */
export function setRules(name) {
  isOlder = name === "node22";
  isManaged22 = name === "node22, side by side";
  isNewer = name === "node24" || isManaged22;
  isPermissive = !isOlder && !isNewer;
}
