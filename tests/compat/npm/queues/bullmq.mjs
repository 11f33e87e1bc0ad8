// bullmq: jobs with priorities and retries, taken by a worker
// needs: redis
import { Queue, QueueEvents, Worker } from "bullmq";

export const handler = async (event) => {
  const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };
  const name = `npm-${process.versions.v8}-${event.call}`.replaceAll(".", "-");
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  await events.waitUntilReady();
  const jobs = await queue.addBulk([1, 2, 3].map((n) => ({ name: "double", data: { n }, opts: { attempts: 2 } })));
  let attempts = 0;
  const worker = new Worker(
    name,
    async (job) => {
      attempts++;
      if (job.data.n === 2 && job.attemptsMade === 0) throw new Error("again");
      return 2 * job.data.n;
    },
    { connection },
  );
  const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, 20000)));
  await worker.close();
  await events.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return [results, attempts];
};
