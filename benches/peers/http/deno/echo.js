// Answers JSON with the same JSON, parsed and written again; for `deno serve`.

export default {
  async fetch(request) {
    return Response.json(await request.json());
  },
};
