var __defProp = Object.defineProperty;
var __export = (target, all) => {
  for (var name in all) __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from) => {
  for (const key of Object.getOwnPropertyNames(from)) __defProp(to, key, { get: () => from[key], enumerable: true });
  return to;
};
var app = {};
__export(app, { handler: () => handler });
module.exports = __copyProps(__defProp({}, "__esModule", { value: true }), app);
const handler = async () => "bundled";
