// @apollo/server, @as-integrations/aws-lambda, graphql, dataloader: queries, mutations, errors and batched loads behind payload format 2.0
import { ApolloServer } from "@apollo/server";
import { handlers, startServerAndCreateLambdaHandler } from "@as-integrations/aws-lambda";
import DataLoader from "dataloader";

let batches = 0;
const loader = new DataLoader(
  async (ids) => {
    batches++;
    return ids.map((id) => ({ id, name: `pet ${id}` }));
  },
  { cache: false },
);
const typeDefs = `#graphql
  type Pet { id: ID! name: String! }
  type Query { pet(id: ID!): Pet }
  type Mutation { fail: Int }`;
const resolvers = {
  Query: { pet: (_, { id }) => loader.load(id) },
  Mutation: {
    fail: () => {
      throw new Error("broken");
    },
  },
};
const serve = startServerAndCreateLambdaHandler(
  new ApolloServer({ typeDefs, resolvers }),
  handlers.createAPIGatewayProxyEventV2RequestHandler(),
);

export const handler = async (event, context) => {
  batches = 0;
  const ask = async (query, variables) => {
    const reply = await serve(
      {
        version: "2.0",
        rawPath: "/",
        rawQueryString: "",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query, variables }),
        requestContext: { http: { method: "POST", path: "/" } },
      },
      context,
      () => {},
    );
    return JSON.parse(reply.body);
  };
  const found = await ask("query($id: ID!) { a: pet(id: $id) { name } b: pet(id: 2) { id name } }", { id: "1" });
  const failed = await ask("mutation { fail }");
  const wrong = await ask("{ nothing }");
  return [found, batches, failed.errors[0].message, failed.errors[0].extensions.code, wrong.errors[0].message];
};
