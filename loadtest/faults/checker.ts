import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Comparison } from './checker-compare.ts';
import type { Progress } from './checker-notes.ts';
import type { Primary } from './checker-rows.ts';
import type { DeviceLoadOptions } from './load.ts';

export interface LoadTask extends Omit<DeviceLoadOptions, 'notes'> {
  /** the directory's own address: the checker asks it for the id of the device */
  directoryUrl: string;
  deviceName: string;
}

export interface VerifyTask {
  directoryUrl: string;
  primaries: Primary[];
}

export interface Findings extends Comparison {
  /** differences between totals and rows, see `wrongTotals` */
  wrongTotals: number;
  /** dead letters */
  dead: number;
}

export type Command =
  | { do: 'load'; task: LoadTask }
  | { do: 'rate'; scansPerS: number }
  | { do: 'stop' }
  | { do: 'verify'; task: VerifyTask };
export type Finding =
  | { is: 'progress'; progress: Progress }
  | { is: 'ended'; progress: Progress }
  | { is: 'verified'; findings: Findings }
  | { is: 'failed'; reason: string };

/** A process of its own that loads Liftline as devices do, and afterwards holds what was acked against what is stored. */
export interface Checker {
  /** Begins to post. */
  load(task: LoadTask): void;
  setRate(scansPerS: number): void;
  /** as of a moment ago */
  progress(): Progress;
  /** why it can't go on, when it can't */
  failure(): Error | undefined;
  /** Ends the load; resolves when everything that was attempted is confirmed, or a minute has passed. */
  stopLoad(): Promise<Progress>;
  /** Reads every row of every primary. May be asked again. @throws Error when a primary does not answer */
  verify(task: VerifyTask): Promise<Findings>;
  close(): void;
}

const NOTHING: Progress = { attempted: 0, acked: 0, confirmations: 0, rejected: 0, unconfirmed: {} };

export function startChecker(): Checker {
  const child = fork(fileURLToPath(new URL('./checker-process.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let progress = NOTHING;
  let failure: Error | undefined;
  child.on('message', (message) => {
    const finding = message as Finding;
    if (finding.is === 'progress') progress = finding.progress;
    if (finding.is === 'failed') failure = new Error(`the checker failed: ${finding.reason}`);
  });
  child.on('error', (error) => {
    failure ??= new Error('the checker can not be told anything', { cause: error });
  });
  child.on('exit', (code) => {
    failure ??= new Error(`the checker ended with ${code}`);
  });
  const tell = (command: Command) => {
    if (child.connected) child.send(command);
  };
  return {
    load: (task) => tell({ do: 'load', task }),
    setRate: (scansPerS) => tell({ do: 'rate', scansPerS }),
    progress: () => progress,
    failure: () => failure,
    async stopLoad() {
      const answer = awaited(child, 'ended');
      tell({ do: 'stop' });
      ({ progress } = await answer);
      return progress;
    },
    async verify(task) {
      const answer = awaited(child, 'verified');
      tell({ do: 'verify', task });
      return (await answer).findings;
    },
    close: () => void child.kill(),
  };
}

/** @throws Error when the checker fails or ends instead */
function awaited<K extends Finding['is']>(child: ChildProcess, is: K): Promise<Extract<Finding, { is: K }>> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      child.off('message', hear);
      child.off('exit', gone);
      then();
    };
    const gone = () => settle(() => reject(new Error('the checker has ended')));
    const hear = (message: unknown) => {
      const finding = message as Finding;
      if (finding.is === 'failed') settle(() => reject(new Error(`the checker failed: ${finding.reason}`)));
      else if (finding.is === is) settle(() => resolve(finding as Extract<Finding, { is: K }>));
    };
    child.on('message', hear);
    child.on('exit', gone);
    if (!child.connected) gone();
  });
}
