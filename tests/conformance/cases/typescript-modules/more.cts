export const b: string = "b";
export interface Nothing {
  a: 1;
}
