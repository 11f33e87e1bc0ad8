export async function* handler() {
  yield "one";
  yield "two";
  yield "three";
}
