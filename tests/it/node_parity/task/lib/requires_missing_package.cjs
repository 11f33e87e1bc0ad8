require("absent-package");
