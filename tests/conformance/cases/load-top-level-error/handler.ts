type Configuration = Record<string, string>;

function configure(): Configuration {
  throw new TypeError("no configuration");
}

export const configuration = configure();
export const handler = () => configuration;
