import { look as defined } from "./fields";
import { captured, derived, look as assigned, order } from "./assigned/fields";

export const handler = (): unknown => ({
  defined: defined(),
  assigned: assigned(),
  order: order(),
  captured: captured(),
  derived: derived(),
});
