// telegraf, discord.js, posthog-node: bots and analytics, against an API of ours
import { Telegraf } from "telegraf";
import { REST } from "discord.js";
import { PostHog } from "posthog-node";

export const handler = async () => {
  const bot = new Telegraf("1:t", { telegram: { apiRoot: `${process.env.API_URL}/telegram` } });
  const heard = [];
  bot.botInfo = { id: 1, is_bot: true, username: "b" };
  bot.on("text", (context) => {
    heard.push(context.message.text);
  });
  await bot.handleUpdate({
    update_id: 1,
    message: {
      message_id: 1,
      date: 0,
      chat: { id: 1, type: "private" },
      from: { id: 2, is_bot: false, first_name: "A" },
      text: "é",
    },
  });
  const rest = new REST({ api: process.env.API_URL, version: "10" }).setToken("t");
  const got = await rest.get("/hello").catch((error) => error.name);
  const posthog = new PostHog("k", { host: process.env.API_URL, flushAt: 1 });
  posthog.capture({ distinctId: "d", event: "bought" });
  await posthog.shutdown();
  const taken = await (await fetch(`${process.env.API_URL}/taken/batch`)).json();
  return [heard, typeof got, taken.some((text) => text.includes("bought"))];
};
