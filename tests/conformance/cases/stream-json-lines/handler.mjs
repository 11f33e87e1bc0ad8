export async function* handler() {
  yield [7];
  yield true;
  yield 1.5;
  yield "text";
}
