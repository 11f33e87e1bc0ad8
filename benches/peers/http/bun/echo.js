// Answers JSON with the same JSON, parsed and written again. `echo.js PORT`.

Bun.serve({
  port: Number(Bun.argv[2]),
  hostname: "127.0.0.1",
  development: false,
  async fetch(request) {
    return Response.json(await request.json());
  },
});
