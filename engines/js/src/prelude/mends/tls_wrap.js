// Mends the script behind `node:_tls_wrap`; see build.rs. `made` is what it has made.

// Encrypted sockets' listeners keep their async context.
const { core, internals } = __bootstrap;
const { keepArguments, keepCallbacks, keepRequests } = internals.trineContext;
const { prototype } = core.ops.TLSWrap;
keepCallbacks(prototype, ["onclienthello", "onerror", "onhandshakedone", "onread"]);
keepArguments(prototype, ["close"]);
keepRequests(prototype, [
  "shutdown",
  "writeAsciiString",
  "writeBuffer",
  "writeLatin1String",
  "writeUcs2String",
  "writeUtf8String",
  "writev",
]);

// As in Node, connections that nobody verifies are told of once.
const { connect } = made;
let warned = false;
made.connect = made.default.connect = {
  connect(...args) {
    const process = core.createLazyLoader("node:process")().default;
    if (!warned && process.env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
      warned = true;
      process.emitWarning(
        "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections and HTTPS requests insecure by disabling certificate verification.",
      );
    }
    return connect(...args);
  },
}.connect;
