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

const bad = (key: string, what: string, todo: string): Alarm => ({ key, severity: 'bad', what, todo });
const warn = (key: string, what: string, todo: string): Alarm => ({ key, severity: 'warn', what, todo });

/** @returns what is wrong, the worst first; empty when all is well */
export function alarmsOf(view: PipelineView): Alarm[] {
  const alarms = [...ofProcesses(view), ...ofLanes(view), ...leftovers(view)];
  return alarms.toSorted((a, b) => a.severity.localeCompare(b.severity));
}

function ofProcesses({ isQueueUp, nodes, unaccounted, processes, directoryAwayS }: PipelineView): Alarm[] {
  const alarms: Alarm[] = [];
  if (!isQueueUp) {
    const todo = 'Scans are refused with 503. Bring its server back; edges recover by themselves.';
    alarms.push(bad('queue', 'The queue does not answer', todo));
  }
  for (const { name } of nodes.filter(({ isUp }) => !isUp)) {
    const todo = 'Its lanes wait and lose nothing. Bring it back.';
    alarms.push(bad(`node-${name}`, `Node ${name} does not answer`, todo));
  }
  if (unaccounted) {
    const what = `${unaccounted} jobs are unaccounted for`;
    alarms.push(bad('unaccounted', what, 'Stop and find out: liftline doctor.'));
  }
  if (processes?.size && !(processes.get('worker') ?? 0)) {
    alarms.push(bad('workers', 'No worker runs', 'Start some: liftline workers.'));
  }
  if (directoryAwayS !== undefined) {
    const todo = 'Scans and reads go on. New devices and seasons wait for it.';
    alarms.push(warn('directory', `The directory is away for ${directoryAwayS} s`, todo));
  }
  return alarms;
}

function ofLanes({ lanes }: PipelineView): Alarm[] {
  return lanes.flatMap(({ lane, oldestAgeS = 0, behindS = 0 }) => {
    const oldest = `Lane ${lane}: its oldest scan waits for ${Math.round(oldestAgeS)} s`;
    const behind = `Lane ${lane}: readers are ${Math.round(behindS)} s behind`;
    return [
      ...(oldestAgeS > OLD_S ? [warn(`lane-${lane}-oldest`, oldest, 'See its node; else start more workers.')] : []),
      ...(behindS > BEHIND_S
        ? [warn(`lane-${lane}-behind`, behind, 'See that a worker of the lane runs, and its backlog.')]
        : []),
    ];
  });
}

/** What waits for an operator. */
function leftovers({ lanes, nodes }: PipelineView): Alarm[] {
  const failed = lanes.reduce((total, { failedJobs }) => total + failedJobs, 0);
  const dead = nodes.reduce((total, { deadLetters = 0 }) => total + deadLetters, 0);
  const letters = `${dead} dead ${dead === 1 ? 'letter' : 'letters'}`;
  return [
    ...(failed > 0
      ? [warn('failed', `${failed} jobs have failed`, 'liftline queue failed tells why; workers put them back.')]
      : []),
    ...(dead > 0 ? [warn('dead', letters, 'Read why below, then replay or discard them.')] : []),
  ];
}
