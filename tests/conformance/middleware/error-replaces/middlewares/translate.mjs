class Translated extends Error {
  name = "Translated";
}

export const error = () => new Translated("out of luck");
