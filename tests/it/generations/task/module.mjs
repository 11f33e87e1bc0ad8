// An ES module whose functions stand in its default export, or beside it.
export const named = async () => "named";
export const hidden = undefined;
export default { inDefault: async () => "in default", named: async () => "of default" };
