let told = false;

async function* stream() {
  try {
    for (;;) {
      yield "one";
    }
  } finally {
    told = true;
  }
}

export const handler = (event) => event === "told" ? told : stream();
