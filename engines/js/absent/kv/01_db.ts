(function () {
function openKv() {
  throw new TypeError("Deno KV is not part of this runtime: use the client of a database");
}

return { openKv };
})();
