import { early, late, sum } from "./one.mjs";

export const handler = () => ({ early, late: late(), sum: sum() });
