require("./absent");
