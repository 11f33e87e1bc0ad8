module.exports = {
  handler({ n }) {
    return n * 2;
  },
};
