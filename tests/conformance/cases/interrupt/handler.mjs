export const handler = (event) => {
  while (event === "loop");
  while (event === "stubborn") {
    try {
      for (;;);
    } catch {
      // Goes on.
    }
  }
  return event;
};
