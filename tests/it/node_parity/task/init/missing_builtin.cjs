require("node:absent");
