export async function* handler(event) {
  if (event === null) {
    throw new Error("not today");
  }
  yield "one";
}
