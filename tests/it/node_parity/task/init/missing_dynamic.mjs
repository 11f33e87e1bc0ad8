await import("absent-package");
