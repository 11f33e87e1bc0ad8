export const handler = () => {
  console.trace("hidden trace");
  console.debug("hidden debug");
  console.info("hidden info");
  console.log("hidden log");
  console.warn("shown warning");
  console.error("shown error");
};
