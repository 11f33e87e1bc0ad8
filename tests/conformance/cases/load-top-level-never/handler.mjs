await new Promise(() => {});

export const handler = () => "never";
