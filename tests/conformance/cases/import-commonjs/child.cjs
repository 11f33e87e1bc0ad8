exports.parent = module.parent;
