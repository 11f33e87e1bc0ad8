export interface Shape {
  a: 1;
}
