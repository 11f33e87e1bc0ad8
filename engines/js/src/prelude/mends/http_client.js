// Mends `node:_http_client`; see build.rs.

// On a connection that was kept alive, Deno sends a request again when the connection ends before there is an answer:
// what was aborted reaches the server twice, and so does what the server may have acted on. Node sends nothing twice.
canRetryRequest = () => false;

// So a connection must not be used again that its server has closed while nothing ran here that could have noticed: between
// two invocations the event loop stands still.
const { onSocket } = ClientRequest.prototype;
ClientRequest.prototype.onSocket = function (socket, error) {
  if (!error && this.reusedSocket && internals.trineIsClosedByPeer(socket)) {
    socket.destroy();
    this.reusedSocket = false;
    this.agent.addRequest(this, this[kRetryOptions]);
    return;
  }
  Reflect.apply(onSocket, this, [socket, error]);
};
