// openai: completions, responses, streams, tools, embeddings, errors, against a model's API of ours
import OpenAI from "openai";

export const handler = async () => {
  const client = new OpenAI();
  const messages = [{ role: "user", content: "?" }];
  const whole = await client.chat.completions.create({ model: "m", messages });
  let streamed = "";
  for await (const chunk of await client.chat.completions.create({ model: "m", messages, stream: true }))
    streamed += chunk.choices[0].delta.content ?? "";
  const response = await client.responses.create({ model: "m", input: "?" });
  const kinds = [];
  for await (const event of await client.responses.create({ model: "m", input: "?", stream: true }))
    kinds.push(event.type);
  const tools = [
    {
      type: "function",
      function: {
        name: "add",
        parse: JSON.parse,
        function: ({ a, b }) => a + b,
        parameters: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } },
      },
    },
  ];
  const runner = client.chat.completions.runTools({ model: "m", messages, tools });
  const embedded = await client.embeddings.create({ model: "m", input: ["a", "b"], encoding_format: "float" });
  const missing = await client.models.list().catch((error) => [error.constructor.name, error.status]);
  return [
    whole.choices[0].message.content,
    streamed,
    response.output_text,
    kinds,
    await runner.finalContent(),
    embedded.data.length,
    missing,
  ];
};
