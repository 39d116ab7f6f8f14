// No-op jobs on pg-boss: `node pg-boss.mjs <postgres url> <jobs> <clients> <jobs per call>`.
// It fetches in batches; a worker that got a full one is told by notifyWorker to fetch again at once, instead of
// after its polling interval (of which half a second is the least allowed). The worker is a process of its own.
import PgBoss from "pg-boss";
import { measure, isWorker, url } from "./measure.mjs";

const queue = "noop";
const batchSize = 500;
const workers = 2;

if (isWorker) {
  const boss = new PgBoss({ connectionString: url, max: 8, supervise: false, schedule: false });
  boss.on("error", (error) => { throw error; });
  await boss.start();
  for (let i = 0; i < workers; i++) {
    const id = await boss.work(queue, { batchSize, pollingIntervalSeconds: 0.5 }, async () => boss.notifyWorker(id));
  }
  process.send("ready");
} else {
  const boss = new PgBoss({ connectionString: url, max: 32, supervise: false, schedule: false });
  boss.on("error", (error) => { throw error; });
  await boss.start();
  await boss.createQueue(queue);
  await measure({
    enqueue: (indexes) => indexes.length === 1
      ? boss.send(queue, { index: indexes[0] })
      : boss.insert(indexes.map((index) => ({ name: queue, data: { index } }))),
    left: "SELECT count(*)::int AS left FROM pgboss.job WHERE name = 'noop' AND state < 'completed'",
  });
  await boss.stop({ graceful: false });
}
