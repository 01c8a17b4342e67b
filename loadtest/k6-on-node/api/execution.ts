// The module `k6/execution` as a script sees it.
import { currentCaller, type IterationInfo } from '../session.ts';
import { strict, Unsupported } from '../unsupported.ts';

function current(what: string): IterationInfo {
  const { iteration } = currentCaller();
  if (!iteration) throw new Unsupported(`${what} outside of an iteration`);
  return iteration;
}

export const scenario = strict(
  {
    get name() {
      return current('scenario.name').scenario;
    },
    get executor() {
      return current('scenario.executor').executor;
    },
    get startTime() {
      return current('scenario.startTime').startTime;
    },
    /** 0 to 1 */
    get progress() {
      const { startTime, durationMs } = current('scenario.progress');
      return Math.min(1, (Date.now() - startTime) / durationMs);
    },
    get iterationInTest() {
      return current('scenario.iterationInTest').iterationInTest;
    },
  },
  'exec.scenario',
);

export const vu = strict(
  {
    get idInTest() {
      return current('vu.idInTest').user;
    },
  },
  'exec.vu',
);

export default strict({ scenario, vu }, 'exec');
