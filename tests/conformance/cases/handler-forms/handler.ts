export default {
  handler({ n }: { n: number }) {
    return n * 2;
  },
};
