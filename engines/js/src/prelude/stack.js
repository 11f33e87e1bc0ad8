// Stacks as Node writes them: without the frames of the runtime, CommonJS by its path and ES modules by their URL, what was
// transpiled here by its source, and other code by its source map where that is asked for.
//
// V8 asks when the `stack` of an error is first read. Whatever users have replaced by then, this works with what the globals
// were at the start.
import { primordials } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";
import { usesSourceMaps } from "ext:trine_prelude/source_maps.js";

const {
  ArrayPrototypePush,
  ErrorPrototypeToString,
  ObjectGetPrototypeOf,
  StringPrototypeReplace,
  StringPrototypeStartsWith,
  uncurryThis,
} = primordials;

/** V8's own methods of a call site, once one has been seen: the constructor is nowhere else. */
let own;

function methodsOf(site) {
  const prototype = ObjectGetPrototypeOf(site);
  return {
    text: uncurryThis(prototype.toString),
    file: uncurryThis(prototype.getFileName),
    url: uncurryThis(prototype.getScriptNameOrSourceURL),
    line: uncurryThis(prototype.getLineNumber),
    column: uncurryThis(prototype.getColumnNumber),
    enclosingLine: uncurryThis(prototype.getEnclosingLineNumber),
    enclosingColumn: uncurryThis(prototype.getEnclosingColumnNumber),
    isAsync: uncurryThis(prototype.isAsync),
    isEval: uncurryThis(prototype.isEval),
    evalOrigin: uncurryThis(prototype.getEvalOrigin),
  };
}

/**
 * The module of Node's that shows in the stacks of what it calls back: by its name there, agents of `agent-base`
 * (`https-proxy-agent`) know that `node:https` asks for them and not `node:http`.
 */
const HTTPS = "ext:deno_node/https.ts";
const HTTPS_IN_NODE = "node:https";

/** The name of the text that this worker thread was started with, which looks like one of ours: it is the first such. */
let evalName;

function isOurs(name) {
  if (StringPrototypeStartsWith(name, "[ext:")) {
    evalName ??= name;
    return name !== evalName;
  }
  return StringPrototypeStartsWith(name, "ext:") || StringPrototypeStartsWith(name, "node:");
}

/** The call sites of users' code, in their order, with that of `node:https` where it has called such code. */
function usersOf(sites) {
  const reversed = [];
  let ours = false;
  let https;
  for (let i = sites.length - 1; i >= 0; i--) {
    const site = sites[i];
    const name = own.file(site);
    if (typeof name === "string") {
      // Glue around users' code stands under the name of their file, and says by another one that it is ours.
      ours = isOurs(name) || own.url(site) === host.glue;
      if (name === HTTPS) {
        https = site;
      }
    } else if (own.isEval(site)) {
      ours = false;
    } else if (own.isAsync(site)) {
      // `Promise.all` and its like, between asynchronous functions that do not call each other.
      ArrayPrototypePush(reversed, site);
      continue;
    }
    // A function that is built in belongs to whoever calls it.
    if (!ours) {
      if (https !== undefined) {
        ArrayPrototypePush(reversed, https);
        https = undefined;
      }
      ArrayPrototypePush(reversed, site);
    }
  }
  const users = [];
  for (let i = reversed.length - 1; i >= 0; i--) {
    ArrayPrototypePush(users, reversed[i]);
  }
  return users;
}

function lineOf(site, caller) {
  const text = own.text(site);
  if (own.file(site) === HTTPS) {
    return StringPrototypeReplace(text, HTTPS, HTTPS_IN_NODE);
  }
  if (!usesSourceMaps()) {
    return host.relocate(text);
  }
  // What the function is called in its source, stands at its beginning, or where it is called.
  const isCalledInFile = caller !== undefined && own.file(caller) === own.file(site);
  return host.relocate(
    text,
    own.enclosingLine(site),
    own.enclosingColumn(site),
    isCalledInFile ? own.line(caller) : undefined,
    isCalledInFile ? own.column(caller) : undefined,
  );
}

/** A call site that tells another place than V8's. Users see the methods of V8's on its prototype, as they do there. */
class CallSite {
  #site;
  #place;

  constructor(site, place) {
    this.#site = site;
    this.#place = place;
  }

  getFileName() {
    return this.#place?.[0] ?? this.#site.getFileName();
  }

  getLineNumber() {
    return this.#place?.[1] ?? this.#site.getLineNumber();
  }

  getColumnNumber() {
    return this.#place?.[2] ?? this.#site.getColumnNumber();
  }

  getScriptNameOrSourceURL() {
    const url = this.#site.getScriptNameOrSourceURL();
    return url === this.#site.getFileName() ? this.getFileName() : url;
  }

  getEvalOrigin() {
    const origin = this.#site.getEvalOrigin();
    return typeof origin === "string" ? host.relocate(origin) : origin;
  }

  toString() {
    return host.relocate(StringPrototypeReplace(this.#site.toString(), HTTPS, HTTPS_IN_NODE));
  }

  getEnclosingColumnNumber() {
    return this.#site.getEnclosingColumnNumber();
  }

  getEnclosingLineNumber() {
    return this.#site.getEnclosingLineNumber();
  }

  getFunction() {
    return this.#site.getFunction();
  }

  getFunctionName() {
    return this.#site.getFunctionName();
  }

  getMethodName() {
    return this.#site.getMethodName();
  }

  getPosition() {
    return this.#site.getPosition();
  }

  getPromiseIndex() {
    return this.#site.getPromiseIndex();
  }

  getScriptHash() {
    return this.#site.getScriptHash();
  }

  getThis() {
    return this.#site.getThis();
  }

  getTypeName() {
    return this.#site.getTypeName();
  }

  isAsync() {
    return this.#site.isAsync();
  }

  isConstructor() {
    return this.#site.isConstructor();
  }

  isEval() {
    return this.#site.isEval();
  }

  isNative() {
    return this.#site.isNative();
  }

  isPromiseAll() {
    return this.#site.isPromiseAll();
  }

  isToplevel() {
    return this.#site.isToplevel();
  }
}

/** A call site as `Error.prepareStackTrace` gets it. Source maps are its own affair, as they are in Node. */
function forUsers(site) {
  const name = own.file(site);
  if (name === HTTPS) {
    return new CallSite(site, [HTTPS_IN_NODE, own.line(site), own.column(site)]);
  }
  const place = typeof name === "string"
    ? host.place(name, own.line(site), own.column(site))
    : undefined;
  return place === undefined && !own.isEval(site) ? site : new CallSite(site, place);
}

/**
 * Gives an error its stack: a text, or what the `Error.prepareStackTrace` of its globals makes of its call sites.
 *
 * @param {object} global the globals of the code that made the error
 * @param error an error, or an object that `Error.captureStackTrace` was given
 * @param {Array} sites V8's call sites
 */
export function prepareStack(global, error, sites) {
  if (sites.length > 0) {
    own ??= methodsOf(sites[0]);
  }
  const users = usersOf(sites);
  const prepare = global.Error?.prepareStackTrace;
  if (typeof prepare === "function") {
    const seen = [];
    for (let i = 0; i < users.length; i++) {
      ArrayPrototypePush(seen, forUsers(users[i]));
    }
    return prepare.call(global.Error, error, seen);
  }
  let text;
  try {
    text = ErrorPrototypeToString(error);
  } catch {
    // A name or a message that cannot be read must not hide where the error comes from.
    text = "Error";
  }
  for (let i = 0; i < users.length; i++) {
    text += `\n    at ${lineOf(users[i], users[i + 1])}`;
  }
  return text;
}
