module.exports = class {
  static async handler() {
    return "static of the whole";
  }
};
