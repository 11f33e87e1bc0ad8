const file = (name: string): URL => new URL(name, import.meta.url);

export const handler = async () => ({
  deno: typeof Deno.version.deno === "string",
  v8: typeof Deno.version.v8,
  text: Deno.readTextFileSync(file("./file.txt")),
  env: typeof Deno.env.get("PATH"),
  missing: await Deno.stat(file("./none.txt")).catch((error: Error) => error.name),
});
