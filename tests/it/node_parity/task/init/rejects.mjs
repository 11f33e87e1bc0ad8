await Promise.reject(new RangeError("while loading"));
