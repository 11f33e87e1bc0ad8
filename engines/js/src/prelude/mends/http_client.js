// Mends `node:_http_client`; see build.rs.

// On a connection that was kept alive, Deno sends a request again when the connection ends before there is an answer:
// what was aborted reaches the server twice, and so does what the server may have acted on. Node sends nothing twice.
canRetryRequest = () => false;
