// Answers JSON with the same JSON, parsed and written again.

export default {
  async fetch(request) {
    return Response.json(await request.json());
  },
};
