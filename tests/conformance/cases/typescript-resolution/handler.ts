import { cents } from "./utils/money";
import { double } from "./double.js";
import { view } from "./view.jsx";
import { triple } from "./triple.mjs";
import { six } from "./six.cjs";
import { name } from "./config";
import { name as again } from "./config/";
import rates from "./rates.json";
import info, { version } from "./info.json";
import { here } from "./utils";
import { dots } from "./a.service";
import { javascript } from "./plain";
import { which } from "./both.js";

export const handler = async (event: number) => ({
  money: cents(event),
  js: double(event),
  jsx: view,
  mjs: triple(1),
  cjs: six,
  config: name,
  config2: again,
  tax: rates.tax,
  version: info.version,
  named: version,
  here: here(),
  dots,
  lazy: (await import("./lazy")).default,
  javascript,
  parent: (await import("./utils/deep/up")).name,
  exact: which,
  query: (await import("./lazy.js?again")).default,
});
