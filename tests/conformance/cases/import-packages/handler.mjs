import { scoped } from "@conformance/scoped";
import { condition } from "conditional";
import { self } from "conditional/self";
import sub from "conditional/sub";
import one from "conditional/wild/one";
import main from "plain";

export const handler = () => ({
  conditional: condition,
  sub,
  wild: one,
  main,
  scoped,
  self,
});
