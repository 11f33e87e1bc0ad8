exports.handler = async () => {
  const found = [require("./plain.mjs").value];
  try {
    require("./late.mjs");
  } catch (error) {
    found.push(error.code);
  }
  found.push((await import("./late.mjs")).value);
  return found;
};
