(function () {
return {};
})();
