exports.handler = (event) => {
  return event * ;
};
