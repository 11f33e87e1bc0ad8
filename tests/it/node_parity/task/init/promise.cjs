module.exports = Promise.resolve({ handler: async () => 1 });
