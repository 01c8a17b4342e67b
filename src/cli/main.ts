import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { preferLeanDrizzle } from './lean-drizzle.ts';

/** A process loads what its own command needs: `token` starts faster, and a worker holds no HTTP apps in memory. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  up: async () => (await import('./up.ts')).upCommand(),
  init: async () => (await import('./init.ts')).initCommand(),
  edge: async () => (await import('./serve-edge.ts')).edgeCommand(),
  rides: async () => (await import('./serve-rides.ts')).ridesCommand(),
  ops: async () => (await import('./serve-ops.ts')).opsCommand(),
  worker: async () => (await import('./serve-worker.ts')).workerCommand(),
  workers: async () => (await import('./workers.ts')).workersCommand(),
  simulate: async () => (await import('./simulate.ts')).simulateCommand(),
  token: async () => (await import('./token.ts')).tokenCommand(),
  devices: async () => (await import('./devices.ts')).devicesCommand(),
  resorts: async () => (await import('./resorts.ts')).resortsCommand(),
  dead: async () => (await import('./dead.ts')).deadCommand(),
  queue: async () => (await import('./queue.ts')).queueCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
};

preferLeanDrizzle();
const program = new Command('liftline').description('Ski lift scans in, rides out').version(packageJson.version);
const wanted = Object.entries(COMMANDS).filter(([name]) => name === process.argv[2]);
for (const [, load] of wanted.length > 0 ? wanted : Object.entries(COMMANDS)) program.addCommand(await load());

// a reader that has seen enough, e.g. `liftline devices list | head -1`
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
await program.parseAsync();
