// workerpool, piscina: work in threads
import workerpool from "workerpool";
import Piscina from "piscina";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";

export const handler = async () => {
  const pool = workerpool.pool({ workerType: "thread", maxWorkers: 2 });
  const squares = await Promise.all([1, 2, 3].map((n) => pool.exec((n) => n * n, [n])));
  const failed = await pool
    .exec(() => {
      throw new RangeError("broken");
    })
    .catch((error) => error.message);
  await pool.terminate();
  const file = `${tmpdir()}/piscina.cjs`;
  writeFileSync(file, "module.exports = ({ a, b }) => a + b;");
  const piscina = new Piscina({ filename: file, maxThreads: 2 });
  const sums = await Promise.all([1, 2, 3].map((n) => piscina.run({ a: n, b: 10 })));
  await piscina.destroy();
  return [squares, failed, sums];
};
