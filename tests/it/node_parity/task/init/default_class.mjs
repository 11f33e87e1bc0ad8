export default class {
  static async handler() {
    return "static of the default";
  }
}
