import { compareScans } from './checker-compare.ts';
import type { Command, Findings, Finding, LoadTask, VerifyTask } from './checker.ts';
import { Notes } from './checker-notes.ts';
import { readDeviceId, readNode, readPlacement } from './checker-rows.ts';
import { DeviceLoad } from './load.ts';

const PROGRESS_MS = 200;
const EXAMPLES = 10;

/** The checker's own process: it shares nothing with what it checks but the wire. See `checker.ts` for its other end. */
function serve(send: (finding: Finding) => void): (command: Command) => void {
  let notes: Notes | undefined;
  let load: DeviceLoad | undefined;

  const runLoad = async (task: LoadTask): Promise<void> => {
    const noted = new Notes(await readDeviceId(task.directoryUrl, task.deviceName));
    notes = noted;
    load = new DeviceLoad({ ...task, notes: noted });
    const timer = setInterval(() => send({ is: 'progress', progress: noted.progress() }), PROGRESS_MS);
    try {
      await load.run();
      send({ is: 'ended', progress: noted.progress() });
    } finally {
      clearInterval(timer);
    }
  };
  const runVerify = async (task: VerifyTask): Promise<void> => {
    if (!notes) throw new Error('there was no load');
    send({ is: 'verified', findings: await verify(task, notes) });
  };
  const orTell = (work: Promise<void>): void => {
    work.catch((error: unknown) => send({ is: 'failed', reason: String(error) }));
  };
  return (command) => {
    if (command.do === 'load') orTell(runLoad(command.task));
    else if (command.do === 'verify') orTell(runVerify(command.task));
    else if (command.do === 'rate') load?.setRate(command.scansPerS);
    else load?.stop();
  };
}

async function verify(task: VerifyTask, notes: Notes): Promise<Findings> {
  const placement = await readPlacement(task.directoryUrl);
  const contents = [];
  for (const primary of task.primaries) contents.push(await readNode(primary));
  const { examples, ...counts } = compareScans(
    notes.scans,
    contents.flatMap(({ scans }) => scans),
    placement,
  );
  const wrongTotals = contents.flatMap((content) => content.wrongTotals);
  const deadLetters = contents.flatMap((content) => content.deadLetters);
  const shown = [
    ...examples,
    ...wrongTotals.slice(0, EXAMPLES).map((line) => `totals: ${line}`),
    ...deadLetters.slice(0, EXAMPLES).map((line) => `dead: ${line}`),
  ];
  return { ...counts, wrongTotals: wrongTotals.length, dead: deadLetters.length, examples: shown };
}

if (import.meta.main) {
  const obey = serve((finding) => process.send?.(finding));
  process.on('message', (command) => obey(command as Command));
  process.on('disconnect', () => process.exit(0)); // whoever asked has gone
}
