throw new SyntaxError("by hand");
