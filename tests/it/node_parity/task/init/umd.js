(function (root, factory) {
  if (typeof module === "object" && module.exports) {
    module.exports = factory();
  } else {
    root.app = factory();
  }
})(this, () => ({ handler: async () => "universal" }));
