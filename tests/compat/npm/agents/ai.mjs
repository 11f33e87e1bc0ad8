// ai, @ai-sdk/openai: texts, streams and tools
import { generateText, stepCountIs, streamText, tool } from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { z } from "zod";

export const handler = async () => {
  const model = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "key" }).chat("m");
  const { text } = await generateText({ model, prompt: "?" });
  const pieces = [];
  for await (const piece of streamText({ model, prompt: "?" }).textStream) pieces.push(piece);
  const add = tool({
    description: "adds",
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => a + b,
  });
  const { steps } = await generateText({ model, prompt: "?", tools: { add }, stopWhen: stepCountIs(3) });
  return [text, pieces, steps.map(({ toolResults, text }) => [toolResults.map(({ output }) => output), text])];
};
