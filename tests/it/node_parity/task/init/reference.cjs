undeclared;
