// Sums up the objects of an S3 notification. A CommonJS module: a `.js` file is one where no package.json says
// otherwise, as in Node.

exports.handler = async (event) => {
  const objects = (event.Records ?? []).map(({ s3 }) => ({
    bucket: s3.bucket.name,
    key: decodeKey(s3.object.key),
    // Notifications of deletions have no size.
    size: s3.object.size ?? 0,
  }));
  return { objects, totalSize: objects.reduce((sum, { size }) => sum + size, 0) };
};

// Keys arrive as in a query string: a space is `+`, and bytes of UTF-8 are `%XX`.
function decodeKey(key) {
  return decodeURIComponent(key.replaceAll("+", " "));
}
