import both from "both";
import layered from "layered";

export const handler = () => ({ layered, both });
