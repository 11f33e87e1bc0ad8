export const handler = (event) => {
  if (typeof event === "function") {
    return event();
  }
  if (event === "fail") {
    throw new Error("on the way");
  }
  return () => "called";
};
