// @anthropic-ai/sdk: messages, streams, tools, errors, against a model's API of ours
import Anthropic from "@anthropic-ai/sdk";

export const handler = async () => {
  const client = new Anthropic({ maxRetries: 0 });
  const asked = { model: "m", max_tokens: 10, messages: [{ role: "user", content: "?" }] };
  const whole = await client.messages.create(asked);
  const stream = client.messages.stream(asked);
  const texts = [];
  stream.on("text", (text) => texts.push(text));
  const final = await stream.finalMessage();
  const tool = await client.messages.create({ ...asked, tools: [{ name: "add", input_schema: { type: "object" } }] });
  const missing = await client.models.retrieve("x").catch((error) => [error.constructor.name, error.status]);
  return [whole.content, texts, final.usage, tool.content[0].input, missing];
};
