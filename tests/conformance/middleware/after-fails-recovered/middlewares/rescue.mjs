export const error = (error) => ({ rescued: error.message.includes("no entry") });
