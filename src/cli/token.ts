import { Command } from 'commander';
import { signSkierToken } from '../directory/skier-token.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';
import { wholeNumber } from './arguments.ts';
import { findTokenSecret } from './operator.ts';
import { runCommand } from './run-command.ts';

const DAY_S = 86_400;

/** `liftline token`: a skier's token, alone on standard output. */
export function tokenCommand(): Command {
  return new Command('token')
    .description("print a token that reads one skier's rides, and nothing else")
    .requiredOption('--skier <id>', 'the skier, 1 to 2147483647', wholeNumber(1, MAX_SKIER_ID))
    .option('--ttl <seconds>', 'how long it is good for', wholeNumber(1, 366 * DAY_S), DAY_S)
    .action((flags: { skier: number; ttl: number }) =>
      runCommand(async () => {
        process.stdout.write(`${await signSkierToken(await findTokenSecret(), flags.skier, flags.ttl)}\n`);
      }),
    );
}
