import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { latencies } from '../client/latencies.ts';
import { runChild } from './child.ts';

const optionsSchema = z.object({ folder: z.string(), seconds: z.number() });
const resultSchema = z.object({ samples: z.number(), p50Ms: z.number(), p99Ms: z.number(), maxMs: z.number() });
export type FsyncLatencies = z.infer<typeof resultSchema>;

const PAUSE_MS = 10;
const BLOCK = Buffer.alloc(4_096, 1);

/** What one fsync costs on the disk of the data while the system runs: nothing durable can be faster. */
export async function fsyncProbe(o: z.infer<typeof optionsSchema>): Promise<FsyncLatencies> {
  return resultSchema.parse(await runChild(fileURLToPath(import.meta.url), o));
}

async function probe({ folder, seconds }: z.infer<typeof optionsSchema>): Promise<FsyncLatencies> {
  const file = path.join(folder, 'fsync-probe');
  const handle = await open(file, 'w');
  const samples: number[] = [];
  const endsAt = performance.now() + seconds * 1_000;
  while (performance.now() < endsAt) {
    await handle.write(BLOCK);
    const startedAt = performance.now();
    await handle.datasync();
    samples.push(performance.now() - startedAt);
    await delay(PAUSE_MS);
  }
  await handle.close();
  await rm(file);
  return { samples: samples.length, ...latencies(samples) };
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await probe(optionsSchema.parse(JSON.parse(process.argv[2] ?? '')))));
}
