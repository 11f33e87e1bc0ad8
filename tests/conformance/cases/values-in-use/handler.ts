interface Event {
  name: string;
  numbers: number[];
  nested: { deep: { x: null }[] };
}

export const handler = ({ name, numbers, nested }: Event) => {
  numbers.push(4);
  return {
    greeting: `Hello ${name}`,
    numbers,
    sum: numbers.reduce((a: number, b: number): number => a + b),
    isNull: nested.deep[0].x === null,
  };
};
