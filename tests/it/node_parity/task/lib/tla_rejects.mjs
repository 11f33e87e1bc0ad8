await Promise.reject(new RangeError("at the top"));
