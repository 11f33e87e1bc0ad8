class OutOfStock extends Error {
  name = "OutOfStock";
}
function fetchItem(item) { throw new OutOfStock(`no ${item} left`); }

exports.handler = ({ item }) => (item ? fetchItem(item) : "fine");
