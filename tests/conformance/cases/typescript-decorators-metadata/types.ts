export enum Color {
  Red,
}
export enum Level {
  Low = "low",
}
export interface Shape {
  edges: number;
}
export class Thing {}
