// Adds to the script behind `node:https`; see build.rs. `made` is what it has made.
const { setupConnectionsTracking } = __bootstrap.core.createLazyLoader("node:_http_server")();
__bootstrap.internals.trineMendServer({ Server: made.Server, setupConnectionsTracking });
