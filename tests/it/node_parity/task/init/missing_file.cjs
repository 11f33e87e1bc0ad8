require("./absent/file");
