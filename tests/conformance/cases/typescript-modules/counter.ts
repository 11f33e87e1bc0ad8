export let count: number = 0;
export const increase = (): void => {
  count++;
};
