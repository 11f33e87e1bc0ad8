(function () {
function cron() {
  throw new TypeError("Deno.cron is not part of this runtime: let the platform's scheduler invoke the function");
}

return { cron };
})();
