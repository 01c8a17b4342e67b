import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { until } from '../client/until.ts';
import { canCompile } from '../faults/tools/compile.ts';
import { type FaultProxy, startFaultProxy } from '../faults/tools/fault-proxy.ts';
import { createServerDate, type ServerDate } from '../faults/tools/server-date.ts';
import { type Stack, startStack } from '../stack.ts';
import { installLateCommits } from './late-commits.ts';
import { mixLanes } from './mixed-lanes.ts';

/** A stack, and what it can be given trouble with. */
export interface Places {
  stack: Stack;
  /** between everything and one node */
  proxy: FaultProxy;
  /** of the queue's server, where it can be set: Redis, and a C compiler */
  queueDate: ServerDate | undefined;
}

export const WITH_REPLICA = 'alpha';
const BEHIND_PROXY = 'beta';
const TOLD_MS = 60_000;

/** Two of each, one rides process without a cache, two lanes on both nodes; resolves when all have an asOf. */
export async function startPlaces(queue: 'redis' | 'postgres', lifecycle: Lifecycle): Promise<Places> {
  let proxy: FaultProxy | undefined;
  const queueDate = queue === 'redis' && canCompile() === true ? await makeDate(lifecycle) : undefined;
  const stack = await startStack(
    {
      queue,
      edges: 2,
      workers: 2,
      rides: 2,
      separateServers: true,
      env: { LOCK_MS: '3000', STALL_CHECK_MS: '500', STATEMENT_TIMEOUT_MS: '3000' },
      envOf: (name): Record<string, string> => (name === 'rides-0' ? { CACHE_MB: '0' } : {}),
      ...(queueDate && { redisEnv: queueDate.env }),
      async nodeUrl(name, url) {
        if (name !== BEHIND_PROXY) return url;
        const opened = await startFaultProxy(url);
        lifecycle.onStop('proxy', () => opened.close());
        proxy = opened;
        return opened.url;
      },
    },
    lifecycle,
  );
  if (!proxy) throw new Error(`there is no node ${BEHIND_PROXY}`);
  await mixLanes(stack);
  await installLateCommits(stack.nodes);
  await until('asOf is told', () => isTold(stack), { timeoutMs: TOLD_MS });
  return { stack, proxy, queueDate };
}

async function makeDate(lifecycle: Lifecycle): Promise<ServerDate> {
  const folder = await mkdtemp(path.join(tmpdir(), 'liftline-asof-'));
  await chmod(folder, 0o755);
  lifecycle.onStop('folder of the date', () => rm(folder, { recursive: true, force: true }));
  return createServerDate(folder);
}

/** Some of every lane on every node. */
const SOME_SKIERS = Array.from({ length: 32 }, (_, i) => i + 1);

async function isTold({ rides, adminKey }: Stack): Promise<true | undefined> {
  const headers = { authorization: `Bearer ${adminKey}` };
  const answers = await Promise.all(
    SOME_SKIERS.map(async (skierId) => {
      const response = await fetch(`${rides[0]?.url}/v1/skiers/${skierId}/seasons`, { headers });
      return (await response.text()).startsWith('{"asOf":"');
    }),
  );
  return answers.every(Boolean) || undefined;
}
