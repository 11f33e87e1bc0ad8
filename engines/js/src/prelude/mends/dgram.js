// Mends the handles of `node:dgram`; see build.rs. `made` is what the script has made.

// Sockets' listeners keep their async context: messages that of the socket, `close` that in which it was closed.
const { adopt, keepCallbacks, within } = __bootstrap.internals.trineContext;
const { newHandle } = made;
made.newHandle = (...args) => {
  const handle = newHandle(...args);
  adopt(handle);
  keepCallbacks(handle, ["onmessage"]);
  const { close } = handle;
  handle.close = (callback) =>
    Reflect.apply(close, handle, [callback && within(__bootstrap.core.getAsyncContext(), callback)]);
  return handle;
};
