// No-op jobs on graphile-worker: `node graphile-worker.mjs <postgres url> <jobs> <clients> <jobs per call>`.
// The settings are those of its documentation's page on performance: 24 jobs at once, a local queue of 500, completions
// in batches. The worker is a process of its own, as the callers would not be in it.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { measure, isWorker, url } from "./measure.mjs";

const quiet = { logger: new Logger(() => () => {}) };

if (isWorker) {
  await run({
    ...quiet,
    preset: {
      worker: {
        connectionString: url,
        concurrentJobs: 24,
        maxPoolSize: 25,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
    taskList: { noop: async () => {} },
  });
  process.send("ready");
} else {
  const utils = await makeWorkerUtils({ ...quiet, connectionString: url, maxPoolSize: 32 });
  await utils.migrate();
  await measure({
    enqueue: (indexes) => indexes.length === 1
      ? utils.addJob("noop", { index: indexes[0] })
      : utils.addJobs(indexes.map((index) => ({ identifier: "noop", payload: { index } }))),
    left: "SELECT count(*)::int AS left FROM graphile_worker._private_jobs",
  });
  await utils.release();
}
