// Mends `node:net`; see build.rs. `made` is what its script has made.

// Deno's `pause` tells the system to stop reading, while the stream still counts on the read that it asked for: data that
// is read later on never comes. Node does so only where the data goes to a buffer of the user's.
const { kBuffer } = __bootstrap.core.loadExtScript("ext:deno_node/internal/stream_base_commons.ts");
const { Socket } = made;
for (const name of ["pause", "resume"]) {
  const plain = Object.getPrototypeOf(Socket.prototype)[name];
  const method = Socket.prototype[name];
  Socket.prototype[name] = {
    [name]() {
      return Reflect.apply(this[kBuffer] ? method : plain, this, []);
    },
  }[name];
}

// Sockets' listeners keep their async context.
const { adopt, keepArguments, keepCallbacks, keepRequests } = __bootstrap.internals.trineContext;
const { PipeWrap, TCPWrap } = __bootstrap.core.ops;
for (const { prototype } of [TCPWrap, PipeWrap]) {
  keepCallbacks(prototype, ["onread"]);
  keepArguments(prototype, ["close"]);
  const { accept } = prototype;
  // A connection that comes in belongs to nobody.
  prototype.accept = function (handle) {
    adopt(handle);
    return Reflect.apply(accept, this, [handle]);
  };
}
keepRequests(TCPWrap.prototype, ["connect", "connect6"]);
keepRequests(PipeWrap.prototype, ["connect"]);
const stream = Object.getPrototypeOf(TCPWrap.prototype);
keepRequests(stream, [
  "shutdown",
  "writeAsciiString",
  "writeBuffer",
  "writeLatin1String",
  "writeUcs2String",
  "writeUtf8String",
  "writev",
]);
