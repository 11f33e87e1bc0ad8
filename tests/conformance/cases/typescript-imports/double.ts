export interface Unused {
  a: 1;
}

export type Doubled = number;

export const double = (value: number): Doubled => value * 2;
