throw Object.assign(new Error("of its own"), { code: "MODULE_NOT_FOUND" });
