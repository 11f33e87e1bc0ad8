exports.handler = async () => ({
  plain: require("conditional"),
  lazy: (await import("conditional")).default,
  required: require("conditional"),
  sync: require("conditional/sync"),
  syncRequired: require("conditional/sync"),
  addons: require("conditional/addons"),
  fallback: require("conditional/fallback"),
  import: (await import("conditional/kind")).default,
  require: require("conditional/kind"),
  internal: require("#internal"),
});
