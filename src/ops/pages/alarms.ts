import type { PipelineView } from './pipeline-view.ts';

/** Something that an operator should know first, and what to do. */
export interface Alarm {
  severity: 'bad' | 'warn';
  what: string;
  todo: string;
}

const OLD_S = 60;
const BEHIND_S = 60;

/** @returns what is wrong, the worst first; empty when all is well */
export function alarmsOf(view: PipelineView): Alarm[] {
  const alarms: Alarm[] = [];
  const bad = (what: string, todo: string) => alarms.push({ severity: 'bad', what, todo });
  const warn = (what: string, todo: string) => alarms.push({ severity: 'warn', what, todo });
  if (!view.isQueueUp)
    bad('The queue does not answer', 'Scans are refused with 503. Bring its server back; edges recover by themselves.');
  for (const { name } of view.nodes.filter(({ isUp }) => !isUp))
    bad(`Node ${name} does not answer`, 'Its lanes wait and lose nothing. Bring it back.');
  if (view.unaccounted) bad(`${view.unaccounted} jobs are unaccounted for`, 'Stop and find out: liftline doctor.');
  if (view.processes?.size && !(view.processes.get('worker') ?? 0))
    bad('No worker runs', 'Start some: liftline workers.');
  if (view.directoryAwayS !== undefined)
    warn(
      `The directory is away for ${view.directoryAwayS} s`,
      'Scans and reads go on. New devices and seasons wait for it.',
    );
  for (const { lane, oldestAgeS = 0 } of view.lanes.filter((one) => (one.oldestAgeS ?? 0) > OLD_S))
    warn(
      `Lane ${lane}: its oldest scan waits for ${Math.round(oldestAgeS)} s`,
      'See its node; else start more workers.',
    );
  for (const { lane, behindS = 0 } of view.lanes.filter((one) => (one.behindS ?? 0) > BEHIND_S))
    warn(
      `Lane ${lane}: readers are ${Math.round(behindS)} s behind`,
      'See that a worker of the lane runs, and its backlog.',
    );
  const failed = view.lanes.reduce((total, { failedJobs }) => total + failedJobs, 0);
  if (failed > 0) warn(`${failed} jobs have failed`, 'liftline queue failed tells why; workers put them back.');
  const dead = view.nodes.reduce((total, { deadLetters = 0 }) => total + deadLetters, 0);
  if (dead > 0)
    warn(`${dead} dead ${dead === 1 ? 'letter' : 'letters'}`, 'Read why below, then replay or discard them.');
  return alarms.toSorted((a, b) => a.severity.localeCompare(b.severity));
}
