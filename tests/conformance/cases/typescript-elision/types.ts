export type Only = string;
export declare const nothing: string;
abstract class Abstract {}
declare global {
  var somewhere: string;
}
export { Abstract as value };
