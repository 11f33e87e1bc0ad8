class Broken extends Error {
  name = "Broken";
}

export const handler = (event) => {
  if (event.fail) {
    throw new Broken("no luck");
  }
  return { fine: event.n };
};
