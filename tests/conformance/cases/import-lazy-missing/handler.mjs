const load = () => import("./missing.mjs");

export const handler = async (event) => {
  if (event === "catch") {
    return await load().catch(() => "caught");
  }
  return await load();
};
