export async function* handler() {
  yield "one";
  yield "two";
  throw new Error("not today");
}
