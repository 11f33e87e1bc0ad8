import fs from "node:fs";
exports.handler = async () => 1;
