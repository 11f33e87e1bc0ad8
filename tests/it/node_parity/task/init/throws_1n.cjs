throw 1n;
