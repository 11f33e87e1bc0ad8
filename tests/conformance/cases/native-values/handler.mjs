const last = { value: null };

export const handler = async (event) => {
  const same = event === last.value && typeof event.call === "function";
  event.same = same;
  event.hops += 1;
  event.call = () => event;
  last.value = event;
  return event;
};
