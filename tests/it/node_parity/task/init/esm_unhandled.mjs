Promise.reject(new RangeError("nobody listens"));
export const handler = async () => 1;
