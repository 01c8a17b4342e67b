import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { deadCommand } from './dead.ts';
import { devicesCommand } from './devices.ts';
import { initCommand } from './init.ts';
import { resortsCommand } from './resorts.ts';
import { edgeCommand } from './serve-edge.ts';
import { opsCommand } from './serve-ops.ts';
import { ridesCommand } from './serve-rides.ts';
import { workerCommand } from './serve-worker.ts';
import { simulateCommand } from './simulate.ts';
import { tokenCommand } from './token.ts';
import { upCommand } from './up.ts';

const COMMANDS = [
  upCommand,
  initCommand,
  edgeCommand,
  ridesCommand,
  opsCommand,
  workerCommand,
  simulateCommand,
  tokenCommand,
  devicesCommand,
  resortsCommand,
  deadCommand,
];

const program = new Command('liftline').description('Ski lift scans in, rides out').version(packageJson.version);
for (const command of COMMANDS) program.addCommand(command().copyInheritedSettings(program));

// a reader that has seen enough, e.g. `liftline devices list | head -1`
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
await program.parseAsync();
