interface Event {
  item: string;
}

class OutOfStock extends Error {
  override name: string = "OutOfStock";
}

type Item = never;

/** Fails always. */
function fetchItem(item: string): Item {
  throw new OutOfStock(`no ${item} left`);
}

export const handler = async ({ item }: Event): Promise<string> =>
  item ? fetchItem(item) : "fine";
