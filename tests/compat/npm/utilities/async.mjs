// async, p-limit, p-queue, p-map, bluebird, eventemitter3, bottleneck, opossum: work side by side with limits, breakers
import async from "async";
import pLimit from "p-limit";
import PQueue from "p-queue";
import pMap from "p-map";
import Bluebird from "bluebird";
import { EventEmitter } from "eventemitter3";
import Bottleneck from "bottleneck";
import CircuitBreaker from "opossum";

const wait = (n) => new Promise((resolve) => setTimeout(resolve, n));

export const handler = async () => {
  let running = 0,
    most = 0;
  const work = async (n) => {
    most = Math.max(most, ++running);
    await wait(5);
    running--;
    return n;
  };
  const limit = pLimit(2);
  const limited = await Promise.all([1, 2, 3, 4].map((n) => limit(work, n)));
  const queue = new PQueue({ concurrency: 1 });
  const order = [];
  for (const [n, priority] of [
    [1, 0],
    [2, 5],
    [3, 9],
  ])
    queue.add(async () => order.push(n), { priority });
  await queue.onIdle();
  const emitter = new EventEmitter();
  const heard = [];
  emitter.once("a", (n) => heard.push(n));
  emitter.emit("a", 1);
  emitter.emit("a", 2);
  const breaker = new CircuitBreaker(
    async () => {
      throw new Error("down");
    },
    { errorThresholdPercentage: 1, volumeThreshold: 1 },
  );
  const broken = [];
  for (let n = 0; n < 3; n++) await breaker.fire().catch((error) => broken.push(error.message));
  breaker.shutdown();
  const bottleneck = new Bottleneck({ maxConcurrent: 1 });
  return [
    limited,
    most,
    order,
    await pMap([3, 1], async (n) => n * 2, { concurrency: 1 }),
    await async.mapLimit([1, 2], 1, async (n) => n + 1),
    await Bluebird.map([1, 2], (n) => n * 3).reduce((a, b) => a + b),
    await Bluebird.delay(50)
      .timeout(5)
      .catch(Bluebird.TimeoutError, () => "late"),
    heard,
    broken,
    await bottleneck.schedule(() => work(7)),
  ];
};
