throw new RangeError("while imported");
