const deep = (n) => 1 + deep(n + 1);

export const handler = (event) => {
  if (event === "deep") {
    return deep(0);
  }
  if (event === "caught") {
    try {
      deep(0);
    } catch {
      return event;
    }
  }
  return event;
};
