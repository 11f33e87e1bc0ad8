class OutOfStock extends Error {}
OutOfStock.prototype.name = "OutOfStock";

const fetchItem = (item) => { throw new OutOfStock(`no ${item} left`); };

export const handler = async ({ item }) => (item ? fetchItem(item) : "fine");
