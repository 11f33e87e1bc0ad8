// Loads modules and finds in them what Rust asks for: a handler, hooks, a program.
import { core, internals } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";
import { Failure } from "ext:trine_prelude/errors.js";
import { showDeno } from "ext:trine_prelude/flavour.js";
import { checkHandler, exportByRules } from "ext:trine_prelude/generations.js";
import { fault, isThenable } from "ext:trine_prelude/marshal.js";
import { preload } from "ext:trine_prelude/preload.js";
import { compileProgram } from "ext:trine_prelude/program.js";
import { asCalled } from "ext:trine_prelude/response_stream.js";
import { isPermissive } from "ext:trine_prelude/rules.js";
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

/** A handler; where there is none, what is wrong and the names of the module's functions, all without a function. */
function findHandler(namespace, name) {
  let value = name === "" ? undefined : exportOf(namespace, name);
  if (value === undefined && (name === "" || name === "handler" || name === "default")) {
    value = wholeOf(namespace);
  }
  return handlerOrProblem(namespace, name, value);
}

/** A handler as the generations look for it: where it is, and nowhere else. */
function findByRules(namespace, name) {
  // What counts as nothing there is not there.
  return handlerOrProblem(namespace, name, exportByRules(namespace, name.split(".")) || undefined);
}

function handlerOrProblem(namespace, name, value) {
  if (typeof value === "function") {
    const called = asCalled(value);
    checkHandler(value, called !== value);
    return [name, called];
  }
  const problem = value === undefined ? "is undefined or not exported" : "is not a function";
  const inner = name.includes(".") ? innerNamesOf(namespace) : [];
  return [problem, ...namesOf(namespace), ...inner].flatMap((text) => [text, undefined]);
}

/** A handler that nobody has named: the usual name, then the module itself, then the one that has another of the names. */
function findUnnamed(namespace, [usual, ...others]) {
  const found = others.filter((name) => typeof exportOf(namespace, name) === "function");
  if (
    found.length === 1 && typeof exportOf(namespace, usual) !== "function" &&
    wholeOf(namespace) === undefined
  ) {
    return findHandler(namespace, found[0]);
  }
  return findHandler(namespace, usual);
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
 * @returns {Promise<Array>} name, function, name, function, …
 */
async function find(seek, format, path, url, names, packages, isDeno) {
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
  const namespace = await loadNamespace(format, path, url);
  if (seek === "unnamed") {
    return findUnnamed(namespace, names);
  }
  if (seek === "hooks") {
    return findHooks(namespace, names);
  }
  const [name] = names;
  return isPermissive || name === "" ? findHandler(namespace, name) : findByRules(namespace, name);
}
