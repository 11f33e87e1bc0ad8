export const handler = (event: number | null): string => {
  if (event !== null) {
    Deno.exit(event);
  }
  return "alive";
};
