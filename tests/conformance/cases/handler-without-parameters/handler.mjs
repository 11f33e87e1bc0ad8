export function handler() {
  return "constant";
}
