import { Command, InvalidArgumentError } from 'commander';
import { initDirectory } from '../directory/init.ts';
import { wholeNumber } from './arguments.ts';
import { findDirectoryUrl } from './operator.ts';
import { prepareNodes } from './prepare-nodes.ts';
import { runCommand } from './run-command.ts';

interface NodeFlag {
  name: string;
  url: string;
}

/** `liftline init`: makes the directory and the tables of the nodes, or brings them up to date. */
export function initCommand(): Command {
  return new Command('init')
    .description('make the directory and the nodes, or bring them up to date; safe to repeat')
    .option('--directory <url>', "the directory's database (default: $DIRECTORY_URL)")
    .requiredOption('--node <name=url>', 'a node, repeatable; a known name gets the new URL', collectNode)
    .option('--shards <n>', 'shards; for ever', wholeNumber(1, 1024), 64)
    .option('--lanes <n>', 'lanes; for ever', wholeNumber(1, 1024), 4)
    .action((flags: { directory?: string; node: NodeFlag[]; shards: number; lanes: number }) =>
      runCommand(async () => {
        const snapshot = await initDirectory({
          directoryUrl: flags.directory ?? (await findDirectoryUrl()),
          nodes: flags.node,
          shardCount: flags.shards,
          laneCount: flags.lanes,
        });
        await prepareNodes(snapshot);
        process.stdout.write(
          `directory ready: ${snapshot.nodes.size} nodes, ${snapshot.shardCount} shards, ${snapshot.laneCount} lanes\n`,
        );
      }),
    );
}

function collectNode(text: string, before: NodeFlag[] | undefined): NodeFlag[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be like alps=postgres://user:password@host:5432/database.');
  return [...(before ?? []), { name: text.slice(0, at), url: text.slice(at + 1) }];
}
