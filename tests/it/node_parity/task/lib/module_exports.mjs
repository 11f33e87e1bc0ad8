const value = { kind: "module.exports" };
export { value as "module.exports" };
export default 1;
