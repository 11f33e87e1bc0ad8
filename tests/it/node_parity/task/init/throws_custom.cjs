class Custom extends Error {
  constructor(message) {
    super(message);
    this.name = "Custom.Name";
    this.code = "E_CUSTOM";
    this.extra = { a: 1 };
  }
}
throw new Custom("of its own");
