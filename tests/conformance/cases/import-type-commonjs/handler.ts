export const handler = async (): Promise<object> => ({
  require: typeof require,
  file: import.meta.filename?.split("/").at(-1),
});
