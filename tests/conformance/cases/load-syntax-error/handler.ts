interface Event {
  n: number;
}
export const handler = (event: Event): number => {
  return event.n * ;
};
