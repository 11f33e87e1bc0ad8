function fail() {
  throw new Error("in CommonJS\nof two lines");
}

fail();
