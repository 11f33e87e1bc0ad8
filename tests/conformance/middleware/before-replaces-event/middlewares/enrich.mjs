export const before = (event) => ({ inner: event, by: "before" });
