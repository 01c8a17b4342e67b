import type { DirectoryFollower } from '../src/directory/follower.ts';
import type { Lifecycle } from '../src/platform/lifecycle.ts';
import type { Logger } from '../src/platform/logger.ts';
import { forgetChanges } from '../src/shards/changes-upkeep.ts';
import { foldLedger } from '../src/shards/ledger-fold.ts';
import type { WriteNodes } from '../src/shards/write-nodes.ts';

const EVERY_MS = 600_000;

/** Keeps every node's ledger and its list of changes short, every ten minutes, for as long as the process runs. */
export function startLedgerUpkeep(o: {
  directory: Pick<DirectoryFollower, 'snapshot'>;
  nodes: WriteNodes;
  /** days that a row is kept */
  ledgerDays: number;
  logger: Logger;
  lifecycle: Pick<Lifecycle, 'onStop'>;
}): void {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(() => foldAll(o));
  }, EVERY_MS);
  o.lifecycle.onStop('ledger upkeep', async () => {
    clearInterval(timer);
    await running;
  });
}

async function foldAll({
  directory,
  nodes,
  ledgerDays,
  logger,
}: Parameters<typeof startLedgerUpkeep>[0]): Promise<void> {
  for (const address of directory.snapshot().nodes.values()) {
    try {
      await forgetChanges(nodes.of(address));
      const jobs = await foldLedger(nodes.of(address), ledgerDays);
      if (jobs > 0) logger.info({ node: address.name, jobs }, 'old ledger rows were folded');
    } catch (error) {
      logger.debug({ err: error, node: address.name }, 'the ledger was not kept short, next time');
    }
  }
}
