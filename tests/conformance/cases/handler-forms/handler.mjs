class Doubler {
  static double({ n }) {
    return n * 2;
  }
}

export { Doubler };
export const handler = Doubler.double;
