/**
 * For `node --import`: a clock that somebody sets while the process runs. On SIGUSR2 the wall clock is moved to so many
 * milliseconds beside the true one as the file that SHIFT_CLOCK_FILE names holds; the file is removed once that is done.
 * Timers and `performance.now` go on, as they do when an operator sets the date.
 *
 * This file works on import, and reads the environment: it has no other way in.
 */
import { readFileSync, rmSync } from 'node:fs';

const file = process.env.SHIFT_CLOCK_FILE;
const TrueDate = Date;
const trueNow = Date.now.bind(Date);
let shiftMs = 0;
const now = (): number => trueNow() + shiftMs;

if (file !== undefined) {
  globalThis.Date = new Proxy(TrueDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new TrueDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  process.on('SIGUSR2', () => {
    shiftMs = Number(readFileSync(file, 'utf8'));
    rmSync(file);
  });
}
