import "node:absent";
