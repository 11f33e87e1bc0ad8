export interface Options {
  edges: number;
}

type Renamed = Options;
export { Renamed };

/** Both a value and a type. */
export interface Shape {
  edges: number;
}
export const Shape = { edges: 3 };

export enum Size {
  Small,
}

export const make = (options: Options): Shape => ({ ...options });
