export function load() {
  throw new Error("an error of the application");
}
