// Puts lengths of time into words with a package from npm. `node_modules` is looked for beside the file and in the
// folders above it. Run ../vendor.sh once to fill it.

import ms from "ms";

export const handler = async (event) => {
  const lengths = event.milliseconds ?? [Number(event.queryStringParameters?.ms ?? 0)];
  return { durations: lengths.map((length) => ms(length, { long: true })) };
};
