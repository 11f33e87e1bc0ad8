Promise.reject(new Error("nobody listens"));

export const handler = () => "never";
