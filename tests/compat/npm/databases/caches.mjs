// lru-cache, node-cache, keyv, cacache: caches in memory and in files
import { LRUCache } from "lru-cache";
import NodeCache from "node-cache";
import Keyv from "keyv";
import cacache from "cacache";
import { tmpdir } from "node:os";

export const handler = async () => {
  const lru = new LRUCache({ max: 2, ttl: 1000 });
  for (const n of [1, 2, 3]) lru.set(n, n);
  const cache = new NodeCache({ stdTTL: 10 });
  cache.set("a", { n: 1 });
  const keyv = new Keyv();
  await keyv.set("a", [1], 1000);
  await cacache.put(`${tmpdir()}/cacache`, "k", "content");
  const told = [
    [...lru.keys()],
    cache.get("a"),
    await keyv.get("a"),
    (await cacache.get(`${tmpdir()}/cacache`, "k")).data.toString(),
  ];
  cache.close();
  return told;
};
