require("conditional/private");
