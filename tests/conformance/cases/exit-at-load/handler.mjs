process.exit(4);

export const handler = () => "never";
