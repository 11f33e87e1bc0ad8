export const handler = (event) => {
  return event * ;
};
