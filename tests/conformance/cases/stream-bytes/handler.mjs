export async function* handler() {
  yield new Uint8Array([97, 0, 98]);
  yield new Uint8Array([0xc3, 0xa9]).buffer;
}
