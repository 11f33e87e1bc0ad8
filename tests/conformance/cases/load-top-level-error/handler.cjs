function configure() {
  throw new TypeError("no configuration");
}
configure();

exports.handler = () => "never";
