// redis: commands, transactions, publish and subscribe, scans, TLS
// needs: redis
import { createClient } from "redis";

export const handler = async () => {
  const client = await createClient({ url: process.env.REDIS_URL }).connect();
  await client.set("redis:a", "1", { expiration: { type: "EX", value: 60 } });
  const multi = await client.multi().incr("redis:a").get("redis:a").exec();
  await client.hSet("redis:h", { x: "1" });
  const subscriber = await client.duplicate().connect();
  const heard = new Promise((resolve) => subscriber.subscribe("redis-channel", resolve));
  while ((await client.publish("redis-channel", "hello")) === 0);
  const keys = [];
  for await (const some of client.scanIterator({ MATCH: "redis:*" })) keys.push(...[].concat(some));
  const failed = await client.sendCommand(["NOTHING"]).catch((error) => error.constructor.name);
  const secure = await createClient({ url: process.env.REDIS_TLS_URL }).connect();
  const told = [multi, { ...(await client.hGetAll("redis:h")) }, await heard, keys.sort(), failed, await secure.ping()];
  await Promise.all([client.close(), subscriber.close(), secure.close()]);
  return told;
};
