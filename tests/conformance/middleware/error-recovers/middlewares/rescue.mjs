export const error = (error) => ({ rescued: error.message.includes("no luck") });

export const after = (response) => ({ inner: response });
