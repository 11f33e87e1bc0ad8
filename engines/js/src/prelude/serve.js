// Calls of handlers that are web applications.
import { core } from "ext:core/mod.js";
import { host } from "ext:trine_prelude/context.js";
import { Failure } from "ext:trine_prelude/errors.js";
import { warningOf } from "ext:trine_prelude/exchange.js";
import { serveFetch } from "ext:trine_prelude/fetch_handler.js";
import { NODE } from "ext:trine_prelude/interfaces.js";
import { enter, metaIn } from "ext:trine_prelude/invoke.js";
import { prepareNode, serveNode } from "ext:trine_prelude/node_handler.js";

/** What is called; `Kind` in Rust. */
const FETCH_KIND = 5;

/** The bits of the flags. */
const HAS_EVENT = 1;
const UPGRADES = 2;

/** Loads what a handler of this interface needs, before the first request. */
export function prepare(number) {
  if (number === NODE) {
    prepareNode();
  }
}

/**
 * Calls a web application with a request. Gives undefined when the response has been given, a failure, or a promise of
 * either.
 *
 * @param {number} kind what is called
 * @param {string} target the address of the request for `fetch`, else its path and query
 * @param {number} flags whether it was made of an event, and whether its connection may go over to another protocol
 * @param {string | undefined} requestId undefined where the invocation is known already
 */
export function serve(
  kind,
  callee,
  method,
  target,
  version,
  flags,
  slot,
  requestId,
  deadlineMs,
  invokedFunctionArn,
  traceId,
  clientContext,
  identity,
  tenantId,
  functionName,
  w3c,
  plainContext,
  headers,
) {
  const meta = requestId === undefined ? metaIn(slot) : enter(
    slot,
    requestId,
    deadlineMs,
    invokedFunctionArn,
    traceId,
    clientContext,
    identity,
    tenantId,
    functionName,
    w3c,
    plainContext,
    headers,
  );
  const hasEvent = (flags & HAS_EVENT) !== 0;
  const upgrades = (flags & UPGRADES) !== 0;
  try {
    if (meta.leftovers) {
      host.leftovers();
    }
    const result = kind === FETCH_KIND
      ? serveFetch(callee, method, target, hasEvent, meta)
      : serveNode(callee, method, target, version, hasEvent, upgrades, meta);
    if (result === undefined) {
      core.runMicrotasks();
      if (core.eventLoopHasMoreWork()) {
        host.work();
      }
    }
    return result;
  } catch (thrown) {
    return new Failure(thrown, warningOf(thrown, meta), false);
  }
}

/** There is more of the body of the request in this place: bytes, or its end with its trailers, or what is wrong with it. */
export function hearOfBody(slot, chunk, failure, trailers) {
  metaIn(slot)?.web?.hearBody(chunk, failure, trailers);
}
