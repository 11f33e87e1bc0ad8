eval("const a = ];");
