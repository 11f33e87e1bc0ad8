export = (a: number, b: number): number => a + b;
