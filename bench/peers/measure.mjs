// What the peers have in common: many callers that queue jobs, one or more at a time, and a clock that stops when no job is left.
import { fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";

const [, script, urlArgument, jobsArgument, clientsArgument, jobsPerCallArgument] = process.argv;

/** Where PostgreSQL is. */
export const url = urlArgument;

/** Whether this process is the one that runs jobs. */
export const isWorker = process.send !== undefined;

/** Queues the jobs, waits until all have run and prints how long that took. `enqueue` gets the numbers of one call's jobs. */
export async function measure({ enqueue, left }) {
  const jobs = Number(jobsArgument);
  const jobsPerCall = Number(jobsPerCallArgument);
  const clients = Number(clientsArgument);
  const worker = fork(script, [url]);
  await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("exit", (code) => reject(new Error(`The worker ended with ${code}.`)));
  });
  const database = new pg.Client(url);
  await database.connect();

  const began = performance.now();
  let next = 0;
  const send = async () => {
    while (next < jobs) {
      const count = Math.min(jobsPerCall, jobs - next);
      const first = next;
      next += count;
      await enqueue(Array.from({ length: count }, (_, index) => first + index));
    }
  };
  await Promise.all(Array.from({ length: clients }, send));
  while ((await database.query(left)).rows[0].left > 0) await wait(20);
  const seconds = (performance.now() - began) / 1000;

  worker.removeAllListeners("exit");
  worker.kill();
  await database.end();
  console.log(JSON.stringify({ jobs, seconds }));
}
