// GET /items/{id}, by an HTTP API: payload format 2.0.
export const handler = async (event) => ({
  id: event.pathParameters.id,
  table: process.env.TABLE,
  level: process.env.LEVEL,
});
