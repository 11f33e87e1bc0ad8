// Loads modules and finds in them what Rust asks for: a handler, hooks, a program.
import { core, internals } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";
import { Failure } from "ext:trine_prelude/errors.js";
import { showDeno } from "ext:trine_prelude/flavour.js";
import { checkHandler, exportByRules } from "ext:trine_prelude/generations.js";
import { EVENT, isApplication, methodOf, takesResponse, tell } from "ext:trine_prelude/interfaces.js";
import { fault, isThenable } from "ext:trine_prelude/marshal.js";
import { preload } from "ext:trine_prelude/preload.js";
import { compileProgram } from "ext:trine_prelude/program.js";
import { asCalled } from "ext:trine_prelude/response_stream.js";
import { isPermissive } from "ext:trine_prelude/rules.js";
import { prepare } from "ext:trine_prelude/serve.js";
import {
  beginLoad,
  endLoad,
  giveUp,
  heldApplication,
  hasApplication,
  hasEvents,
  knowsServers,
  untilHeld,
} from "ext:trine_prelude/servers.js";
import { watchCompiled } from "ext:trine_prelude/source_maps.js";

function namesOf(namespace) {
  const names = new Set();
  for (const source of [namespace, namespace?.default]) {
    if (source !== null && (typeof source === "object" || typeof source === "function")) {
      for (const name of Object.keys(source)) {
        if (typeof source[name] === "function") {
          names.add(name);
        }
      }
    }
  }
  return [...names];
}

/** Names of functions in objects that a module exports: `api.get`. */
function innerNamesOf(namespace) {
  const names = new Set();
  for (const source of [namespace, namespace?.default]) {
    for (const [outer, value] of Object.entries(source ?? {})) {
      if (outer !== "default" && value !== null && typeof value === "object") {
        for (const inner of Object.keys(value)) {
          if (typeof value[inner] === "function") {
            names.add(`${outer}.${inner}`);
          }
        }
      }
    }
  }
  return [...names];
}

function lookUp(namespace, path) {
  let value = namespace;
  for (const step of path) {
    value = value?.[step];
  }
  return value;
}

function exportOf(namespace, path) {
  const steps = path.split(".");
  return lookUp(namespace, steps) ?? lookUp(namespace?.default, steps);
}

/** What a value is, for messages: `a string`, `an array`, `undefined`. */
export function whatItIs(value) {
  if (value === undefined || value === null) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return "an array";
  }
  const type = isThenable(value) ? "promise" : typeof value;
  return `${type === "object" ? "an" : "a"} ${type}`;
}

let NodeModule;
const roots = new Set();

/**
 * Lets Node's module system also look into the task root of a module that lies outside of it, and into the layers, for
 * packages that the folders above a module lack. Called when that is evaluated, whoever loads it.
 */
internals.trineAddFolders = (Module) => {
  const above = Module._nodeModulePaths;
  // A thread asks before it has a host.
  Module._nodeModulePaths = (from) => [...above(from), ...roots, ...host?.packageFolders ?? []];
};

/** Node's module system. */
export function nodeModule() {
  if (NodeModule === undefined) {
    NodeModule = core.createLazyLoader("node:module")().default;
    watchCompiled(NodeModule);
  }
  return NodeModule;
}

function requireFile(path) {
  return nodeModule()._load(path, null, false);
}

async function loadNamespace(format, path, url) {
  if (format === "module") {
    return await host.import(url);
  }
  try {
    return requireFile(path);
  } catch (error) {
    if (error?.code === "ERR_REQUIRE_ASYNC_MODULE") {
      return await host.import(url);
    }
    throw error;
  }
}

/** Loads a module and finds functions in it; see `find`. A failure is a value. */
export function load(...args) {
  return find(...args).catch((thrown) => new Failure(thrown, undefined, false));
}

function notFound(message, namespace, wanted) {
  const error = fault("HandlerNotFound", "Runtime.HandlerNotFound", message);
  error.trineNames = namesOf(namespace);
  error.trineWanted = wanted;
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/** The function that a module is itself, or has as its default export. */
function wholeOf(namespace) {
  const whole = namespace?.default ?? namespace;
  return typeof whole === "function" ? whole : undefined;
}

/** What a module is itself, or has as its default export, if that is a function or an application. */
function wholeApplicationOf(namespace) {
  const whole = namespace?.default ?? namespace;
  const isOwn = core.isModuleNamespaceObject(whole);
  return isOwn && typeof whole.fetch !== "function" ? undefined : whole;
}

/** The names for which a module may stand itself. */
const OF_WHOLE = new Set([
  "",
  "handler",
  "lambdaHandler",
  "lambda_handler",
  "default",
  "app",
  "application",
  "server",
]);

/** The export by a handler's name. Members of an application are none, unless somebody has put them there as such. */
function handlerExportOf(namespace, name) {
  const value = exportOf(namespace, name);
  const isOwn = core.isModuleNamespaceObject(namespace) && Object.hasOwn(namespace, name);
  const whole = isOwn || !OF_WHOLE.has(name) ? undefined : wholeApplicationOf(namespace);
  const isMember = isApplication(whole) &&
    (!Object.hasOwn(whole, name) || methodOf(whole) === name ||
      typeof value === "function" && takesResponse(value));
  return isMember ? undefined : value;
}

/** The export that is a handler by this name. */
function namedOf(namespace, name) {
  let value = name === "" ? undefined : handlerExportOf(namespace, name);
  if (value === undefined && OF_WHOLE.has(name) && !name.startsWith("lambda")) {
    value = wholeOf(namespace) ?? applicationOrNothing(wholeApplicationOf(namespace));
    return { name, value, isWhole: true };
  }
  return { name, value };
}

/** A module's exports are no application by being an object. */
function applicationOrNothing(value) {
  const isOne = typeof value === "object" && value !== null;
  return isOne && (isThenable(value) || isApplication(value)) ? value : undefined;
}

/** The export where the generations look for it, and nowhere else. */
function namedByRules(namespace, name) {
  // What counts as nothing there is not there.
  return { name, value: exportByRules(namespace, name.split(".")) || undefined };
}

/**
 * A handler that nobody has named: the usual name, then the module itself, then the one that has another of the names, then
 * what an application may be called.
 */
function unnamedOf(namespace, names) {
  const [usual, ...others] = names.filter((name) => /handler$/i.test(name));
  const isFunction = (name) => typeof handlerExportOf(namespace, name) === "function";
  const whole = wholeOf(namespace);
  if (isFunction(usual) || whole !== undefined) {
    return namedOf(namespace, usual);
  }
  const found = others.filter(isFunction);
  if (found.length === 1) {
    return namedOf(namespace, found[0]);
  }
  const applications = [usual, "default", ...names.slice(1 + others.length), "server"];
  for (const name of applications) {
    const value = name === "default"
      ? wholeApplicationOf(namespace)
      : handlerExportOf(namespace, name);
    if (typeof value === "function" || applicationOrNothing(value) !== undefined) {
      return { name, value };
    }
  }
  return namedOf(namespace, usual);
}

/** What is wrong where a module has no handler, and the names of its functions, all without a function. */
function problemOf(namespace, { name, value, isWhole = false }) {
  const problem = value === undefined || isWhole ? "is undefined or not exported" : "is not a function";
  const inner = name.includes(".") ? innerNamesOf(namespace) : [];
  return [problem, ...namesOf(namespace), ...inner].flatMap((text) => [text, undefined]);
}

/** The time after which a module that has started no server is not expected to do so any more, in milliseconds. */
const LONGEST_WAIT = 10_000;

/** What is returned for a module that waits, and whose event loop is empty. */
let waiting;

/** The server that a module starts once it is loaded. */
async function laterServer(problem) {
  if (!knowsServers()) {
    return undefined;
  }
  const held = untilHeld();
  // What waits for nothing but promises has started it after a turn.
  await new Promise((resolve) => core.createTimer(resolve, 0, undefined, false, true, false));
  const now = heldApplication();
  if (now !== undefined || !core.eventLoopHasMoreWork()) {
    return now;
  }
  waiting = problem;
  const timer = core.createTimer(giveUp, LONGEST_WAIT, undefined, false, false, true);
  await held;
  core.cancelTimer(timer);
  waiting = undefined;
  return heldApplication();
}

/** The event loop is empty. What the module has turned out to have, if its load has waited for a server. */
export function noServer() {
  const problem = waiting;
  waiting = undefined;
  endLoad();
  return problem;
}

/** The handler of a module, and its interface's number unless it takes events. */
async function findHandler(namespace, sought, wanted) {
  const { name, value } = sought;
  // Most are told at once.
  let found = tell(value, wanted);
  if (isThenable(found)) {
    found = await found;
  }
  if (found === undefined) {
    found = heldApplication() ?? await laterServer(problemOf(namespace, sought));
  }
  if (found === undefined) {
    hasEvents();
    return problemOf(namespace, sought);
  }
  const { interface: number, callee } = found;
  if (number === EVENT) {
    hasEvents();
    const called = asCalled(callee);
    checkHandler(callee, called !== callee);
    return [name, called];
  }
  hasApplication(callee);
  prepare(number);
  return [name, callee, number];
}

/** The hooks of a middleware, then the names of its other functions. */
function findHooks(namespace, names) {
  const found = [];
  for (const name of names) {
    const value = exportOf(namespace, name) ?? (name === "wrap" ? wholeOf(namespace) : undefined);
    if (value === undefined || value === null) {
      continue;
    }
    if (typeof value !== "function") {
      throw notFound(`${name} is not a function but ${whatItIs(value)}`, namespace, name);
    }
    found.push(name, value);
  }
  for (const name of namesOf(namespace)) {
    if (!names.includes(name) && name !== "default") {
      found.push(name, undefined);
    }
  }
  return found;
}

/**
 * Loads a module and finds functions in it.
 *
 * @param {string} seek "handler", "unnamed" (one of the names that handlers usually have), "hooks" or "program"
 * @param {string} format "module", or "commonjs" which falls back to a module where only that parses
 * @param {string[]} names of the functions, or the one export path of a handler
 * @param {string | undefined} packages folder of packages of the task root, where the module lies outside of it
 * @param {boolean} isDeno whether it is written for Deno
 * @param {string | undefined} wanted the interface of the handler, where somebody has said it
 * @param {boolean} isWorker whether the module's text shows that it listens for `fetch`
 * @returns {Promise<Array>} name, function, name, function, …
 */
async function find(seek, format, path, url, names, packages, isDeno, wanted, isWorker) {
  if (isDeno) {
    showDeno();
  }
  if (packages !== undefined) {
    roots.add(packages);
  }
  if (host.preloads !== undefined) {
    await preload();
  }
  if (seek === "program") {
    const run = compileProgram(nodeModule(), path, url);
    return names.flatMap((name) => [name, run(name)]);
  }
  if (seek === "hooks") {
    return findHooks(await loadNamespace(format, path, url), names);
  }
  beginLoad(wanted, isWorker);
  try {
    const namespace = await loadNamespace(format, path, url);
    return await findHandler(namespace, soughtOf(seek, namespace, names), wanted);
  } finally {
    endLoad();
  }
}

function soughtOf(seek, namespace, names) {
  if (seek === "unnamed") {
    return unnamedOf(namespace, names);
  }
  const [name] = names;
  return isPermissive || name === "" ? namedOf(namespace, name) : namedByRules(namespace, name);
}
