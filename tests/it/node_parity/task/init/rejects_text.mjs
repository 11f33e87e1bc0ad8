await Promise.reject("a text");
