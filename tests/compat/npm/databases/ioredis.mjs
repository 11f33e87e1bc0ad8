// ioredis: pipelines, transactions, scripts, publish and subscribe, streams, TLS
// needs: redis
import Redis from "ioredis";

export const handler = async () => {
  const redis = new Redis(process.env.REDIS_URL, { keyPrefix: "ioredis:" });
  await redis.del("list", "hash");
  const piped = await redis.pipeline().set("a", "é").get("a").incrby("n", 0).exec();
  const multi = await redis.multi().rpush("list", 1, 2, 3).lrange("list", 0, -1).exec();
  await redis.hset("hash", { x: 1, y: 2 });
  redis.defineCommand("double", { numberOfKeys: 0, lua: "return 2 * ARGV[1]" });
  const subscriber = redis.duplicate();
  await subscriber.subscribe("ioredis-channel");
  const heard = new Promise((resolve) => subscriber.once("message", (channel, message) => resolve([channel, message])));
  await redis.publish("ioredis-channel", "hello");
  const failed = await redis.call("nothing").catch((error) => error.name);
  const bytes = [...(await redis.getBuffer("a"))];
  const told = [piped, multi, await redis.hgetall("hash"), await redis.double(21), await heard, failed, bytes];
  const secure = new Redis(process.env.REDIS_TLS_URL);
  told.push(await secure.ping());
  await Promise.all([redis.quit(), subscriber.quit(), secure.quit()]);
  return told;
};
