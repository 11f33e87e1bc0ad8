// graphql-yoga: queries, and a subscription as server-sent events
import { createSchema, createYoga } from "graphql-yoga";

const schema = createSchema({
  typeDefs: "type Query { hello(name: String): String } type Subscription { count(to: Int!): Int }",
  resolvers: {
    Query: { hello: (_, { name }) => `hello ${name}` },
    Subscription: {
      count: {
        async *subscribe(_, { to }) {
          for (let n = 1; n <= to; n++) yield { count: n };
        },
      },
    },
  },
});

export const handler = async () => {
  const yoga = createYoga({ schema, logging: false });
  const ask = (query, accept) =>
    yoga.fetch("http://h/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify({ query }),
    });
  const found = await (await ask('{ hello(name: "y") }', "application/json")).json();
  const events = await (await ask("subscription { count(to: 3) }", "text/event-stream")).text();
  return [found, events.split("\n").filter((line) => line.startsWith("data: {"))];
};
