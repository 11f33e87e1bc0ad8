throw new TypeError("no configuration");

export const handler = () => "never";
