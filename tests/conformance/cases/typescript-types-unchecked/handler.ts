export const handler = (event: number): boolean => {
  const wrong: boolean = event;
  return wrong;
};
