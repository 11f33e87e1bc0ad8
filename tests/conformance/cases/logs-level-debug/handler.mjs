export const handler = () => {
  console.debug("shown debug");
  console.info("shown info");
};
