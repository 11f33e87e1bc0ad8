require("../lib/bad.json");
