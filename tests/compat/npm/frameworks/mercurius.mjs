// mercurius: GraphQL in Fastify
import fastify from "fastify";
import mercurius from "mercurius";

export const handler = async () => {
  const app = fastify();
  app.register(mercurius, {
    schema: "type Query { add(x: Int, y: Int): Int }",
    resolvers: { Query: { add: async (_, { x, y }) => x + y } },
    jit: 1,
  });
  const replies = [];
  for (let n = 0; n < 2; n++)
    replies.push(
      (await app.inject({ method: "POST", url: "/graphql", payload: { query: `{ add(x: 2, y: ${n}) }` } })).json(),
    );
  await app.close();
  return replies;
};
