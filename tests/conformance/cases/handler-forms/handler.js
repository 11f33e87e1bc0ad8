exports.handler = function double({ n }) {
  return n * 2;
};
