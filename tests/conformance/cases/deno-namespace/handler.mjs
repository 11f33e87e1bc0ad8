const file = (name) => new URL(name, import.meta.url);

export const handler = async () => ({
  deno: typeof Deno.version.deno === "string",
  v8: typeof Deno.version.v8,
  text: await Deno.readTextFile(file("./file.txt")),
  env: typeof Deno.env.get("PATH"),
  missing: await Deno.stat(file("./none.txt")).catch((error) => error.name),
});
