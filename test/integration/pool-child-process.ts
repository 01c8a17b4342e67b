import { appendFileSync } from 'node:fs';

/** A process in the place of a worker, for the tests: reports as one, notes its pid, and behaves as its arguments say. */
const [mode, pidFile] = process.argv.slice(2) as [string, string];
appendFileSync(pidFile, `${process.pid}\n`);

let settled = 0;
const report = (live: true | string) => {
  settled += 10;
  const values = [{ value: settled, labels: { lane: 0, outcome: 'persisted' } }];
  const scans = { name: 'liftline_worker_scans_total', help: 'scans', type: 'counter', aggregator: 'sum', values };
  if (process.connected) process.send?.({ ready: true, live, metrics: [scans] }, undefined, undefined, () => {});
};

process.once('disconnect', () => {
  if (mode !== 'never ends') process.exit(0);
});
process.on('SIGTERM', () => {});
if (mode === 'dies') process.exit(3);
report(true);
setInterval(() => report(mode === 'gets stuck' ? 'lane 0 is stuck' : true), 50);
if (mode === 'blocks')
  setTimeout(() => {
    for (;;);
  }, 100);
