import { make, Options, Shape } from "./barrel";
import * as barrel from "./barrel";

const options: Options = { edges: 4 };

export const handler = (): unknown => ({
  names: Object.keys(barrel).sort(),
  made: make(options) as Shape,
});
