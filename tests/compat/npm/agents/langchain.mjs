// langchain, @langchain/core, @langchain/openai, @langchain/anthropic: prompts, chains, tools, streams, an agent
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { ChatAnthropic } from "@langchain/anthropic";
import { createAgent } from "langchain";
import { z } from "zod";

export const handler = async () => {
  const model = new ChatOpenAI({ model: "m", configuration: { baseURL: process.env.OPENAI_BASE_URL } });
  const chain = ChatPromptTemplate.fromMessages([["human", "{question}"]])
    .pipe(model)
    .pipe(new StringOutputParser());
  const pieces = [];
  for await (const piece of await chain.stream({ question: "?" })) pieces.push(piece);
  const other = await new ChatAnthropic({ model: "m", anthropicApiUrl: process.env.ANTHROPIC_BASE_URL }).invoke("?");
  const add = tool(({ a, b }) => `${a + b}`, {
    name: "add",
    description: "adds",
    schema: z.object({ a: z.number(), b: z.number() }),
  });
  const agent = createAgent({ model, tools: [add] });
  const { messages } = await agent.invoke({ messages: [{ role: "user", content: "40 + 2?" }] });
  return [
    await chain.invoke({ question: "?" }),
    pieces.join(""),
    other.text,
    messages.map((message) => [message.type ?? message.getType(), message.text]),
  ];
};
