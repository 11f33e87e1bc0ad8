import process from "node:process";

export const handler = async () => {
  process.emitWarning("old fashioned", "DeprecationWarning");
  await new Promise((resolve) => setTimeout(resolve, 5));
};
