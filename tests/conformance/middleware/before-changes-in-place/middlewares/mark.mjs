export const before = (event) => {
  event.list.push("marked");
  event.marked = { by: "before" };
};
