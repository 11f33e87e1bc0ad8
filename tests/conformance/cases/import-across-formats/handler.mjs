import whole from "./function.cjs";
import legacy, { named } from "./legacy.cjs";
import transpiled from "./transpiled.cjs";

export const handler = () => ({
  named,
  default: legacy.named,
  whole: typeof whole,
  esModule: transpiled.default,
});
