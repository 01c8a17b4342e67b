import type { PipelineView } from './pipeline-view.ts';

/** Something that an operator should know first, and what to do. */
export interface Alarm {
  /** the same for as long as it lasts: without the numbers that run while it does */
  key: string;
  severity: 'bad' | 'warn';
  what: string;
  todo: string;
}

const OLD_S = 60;
const BEHIND_S = 60;

/** @returns what is wrong, the worst first; empty when all is well */
export function alarmsOf(view: PipelineView): Alarm[] {
  const alarms: Alarm[] = [];
  const bad = (key: string, what: string, todo: string) => alarms.push({ key, severity: 'bad', what, todo });
  const warn = (key: string, what: string, todo: string) => alarms.push({ key, severity: 'warn', what, todo });
  if (!view.isQueueUp)
    bad(
      'queue',
      'The queue does not answer',
      'Scans are refused with 503. Bring its server back; edges recover by themselves.',
    );
  for (const { name } of view.nodes.filter(({ isUp }) => !isUp))
    bad(`node-${name}`, `Node ${name} does not answer`, 'Its lanes wait and lose nothing. Bring it back.');
  if (view.unaccounted)
    bad('unaccounted', `${view.unaccounted} jobs are unaccounted for`, 'Stop and find out: liftline doctor.');
  if (view.processes?.size && !(view.processes.get('worker') ?? 0))
    bad('workers', 'No worker runs', 'Start some: liftline workers.');
  if (view.directoryAwayS !== undefined)
    warn(
      'directory',
      `The directory is away for ${view.directoryAwayS} s`,
      'Scans and reads go on. New devices and seasons wait for it.',
    );
  for (const { lane, oldestAgeS = 0 } of view.lanes.filter((one) => (one.oldestAgeS ?? 0) > OLD_S))
    warn(
      `lane-${lane}-oldest`,
      `Lane ${lane}: its oldest scan waits for ${Math.round(oldestAgeS)} s`,
      'See its node; else start more workers.',
    );
  for (const { lane, behindS = 0 } of view.lanes.filter((one) => (one.behindS ?? 0) > BEHIND_S))
    warn(
      `lane-${lane}-behind`,
      `Lane ${lane}: readers are ${Math.round(behindS)} s behind`,
      'See that a worker of the lane runs, and its backlog.',
    );
  alarms.push(...leftovers(view));
  return alarms.toSorted((a, b) => a.severity.localeCompare(b.severity));
}

/** What waits for an operator. */
function leftovers({ lanes, nodes }: PipelineView): Alarm[] {
  const failed = lanes.reduce((total, { failedJobs }) => total + failedJobs, 0);
  const dead = nodes.reduce((total, { deadLetters = 0 }) => total + deadLetters, 0);
  const found: Alarm[] = [];
  if (failed > 0) {
    const todo = 'liftline queue failed tells why; workers put them back.';
    found.push({ key: 'failed', severity: 'warn', what: `${failed} jobs have failed`, todo });
  }
  if (dead > 0) {
    const what = `${dead} dead ${dead === 1 ? 'letter' : 'letters'}`;
    found.push({ key: 'dead', severity: 'warn', what, todo: 'Read why below, then replay or discard them.' });
  }
  return found;
}
