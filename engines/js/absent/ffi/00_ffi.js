(function () {
function dlopen() {
  throw new TypeError("Deno.dlopen is not part of this runtime: native code is loaded as a Node addon");
}

return { dlopen };
})();
