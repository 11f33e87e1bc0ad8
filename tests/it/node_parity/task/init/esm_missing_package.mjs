import "absent-package";
