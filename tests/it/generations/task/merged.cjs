// Names that no parser of exports finds.
module.exports = Object.assign({}, { hidden: async () => "merged" });
