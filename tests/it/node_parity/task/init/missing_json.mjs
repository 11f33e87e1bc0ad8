import data from "../data.json";
export const handler = async () => data;
