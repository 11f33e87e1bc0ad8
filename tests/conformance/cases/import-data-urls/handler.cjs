exports.handler = async (event) => {
  const { url, type } = typeof event === "string" ? { url: event } : event;
  const module = await (type ? import(url, { with: { type } }) : import(url));
  return module.default;
};
