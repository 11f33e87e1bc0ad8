// @apollo/server, graphql, @as-integrations/express5: queries, mutations, errors, batches
// server: node
import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import express from "express";

const typeDefs = `
  type Item { id: ID!, name: String!, tags(first: Int = 2): [String!]! }
  type Query { hello(name: String = "world"): String!, items: [Item!]!, fails: String }
  type Mutation { add(name: String!): Item! }
`;

const items = [{ id: "1", name: "milk", tags: ["white", "liquid", "cold"] }];
const resolvers = {
  Query: {
    hello: (_, { name }, { agent }) => `Hello, ${name}, with ${agent}!`,
    items: () => items,
    fails() { throw new Error("an error of the application"); },
  },
  Mutation: {
    add(_, { name }) {
      const item = { id: String(items.length + 1), name, tags: [] };
      items.push(item);
      return item;
    },
  },
  Item: { tags: (item, { first }) => item.tags.slice(0, first) },
};

const server = new ApolloServer({
  typeDefs, resolvers, allowBatchedHttpRequests: true, includeStacktraceInErrorResponses: false,
});
await server.start();
const app = express();
const context = async ({ req }) => ({ agent: req.headers["x-agent"] ?? "nobody" });
app.use("/graphql", express.json({ limit: "16mb" }), expressMiddleware(server, { context }));
app.listen(Number(process.env.PORT), "127.0.0.1");
