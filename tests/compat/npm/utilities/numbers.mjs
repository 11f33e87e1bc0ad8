// mathjs, decimal.js, big.js, bignumber.js: exact and scientific numbers
import { create, all } from "mathjs";
import Decimal from "decimal.js";
import Big from "big.js";
import BigNumber from "bignumber.js";

export const handler = async () => {
  const math = create(all);
  return [
    math.evaluate("det([1, 2; 3, 4]) + sqrt(-4)").toString(),
    math.unit("5 km").to("mile").toString(),
    new Decimal("0.1").plus("0.2").toString(),
    Decimal.exp(1).toFixed(10),
    new Big("1e-9").times(3).toFixed(),
    new BigNumber("123456789.123").toFormat(2),
  ];
};
