#!/usr/bin/env node
exports.kind = "with a shebang";
