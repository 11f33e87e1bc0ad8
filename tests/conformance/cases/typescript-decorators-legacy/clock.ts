export interface Shape {
  edges: number;
}

export class Clock {
  readonly name: string = "clock";
}
