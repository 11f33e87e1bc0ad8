const reason = await "in a module";

throw new TypeError(reason);
