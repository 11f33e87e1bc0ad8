import missing from "not-installed";

export const handler = () => missing;
