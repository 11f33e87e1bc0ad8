export default { handler: async () => "in the default object" };
