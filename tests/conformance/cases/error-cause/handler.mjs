function inner() {
  throw new RangeError("inner");
}

export const handler = async () => {
  try {
    inner();
  } catch (cause) {
    throw new Error("outer", { cause });
  }
};
