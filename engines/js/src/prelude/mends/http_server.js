// Adds to `node:_http_server`; see build.rs. Servers of web applications listen to nobody, and their responses do not go to
// sockets.
internals.trineMendServer({ Server, setupConnectionsTracking });
internals.trineMendResponse({ ServerResponse, STATUS_CODES });
