const piece = "0123456789abcdef".repeat(64);

export async function* handler() {
  for (let count = 0; count < 1024; count++) {
    yield piece;
  }
}
