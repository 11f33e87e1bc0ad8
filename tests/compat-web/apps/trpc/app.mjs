// @trpc/server, zod: procedures by HTTP, batches, errors, subscriptions as events
// server: node
import { initTRPC, TRPCError } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import { z } from "zod";

const t = initTRPC.context().create({ isDev: false });
const items = [];

const router = t.router({
  hello: t.procedure.input(z.object({ name: z.string().default("world") })).query(({ input, ctx }) => {
    return { hello: input.name, agent: ctx.agent };
  }),
  add: t.procedure.input(z.object({ name: z.string().min(1) })).mutation(({ input }) => {
    items.push(input.name);
    return { items };
  }),
  large: t.procedure.input(z.string()).mutation(({ input }) => input.length),
  private: t.procedure.query(({ ctx }) => {
    if (ctx.agent !== "ada") throw new TRPCError({ code: "UNAUTHORIZED", message: "who are you?" });
    return "secret";
  }),
  fails: t.procedure.query(() => { throw new Error("an error of the application"); }),
  rows: t.procedure.subscription(async function* () {
    for (let number = 0; number < 3; number++) yield `row ${number}`;
  }),
});

createHTTPServer({ router, createContext: ({ req }) => ({ agent: req.headers["x-agent"] ?? "nobody" }) })
  .listen(Number(process.env.PORT), "127.0.0.1");
