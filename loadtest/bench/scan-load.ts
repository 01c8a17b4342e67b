import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { closedLoop } from '../client/closed-loop.ts';
import { runChild } from './child.ts';
import { scanRequests } from './scans.ts';

const optionsSchema = z.object({
  url: z.string(),
  deviceKey: z.string(),
  connections: z.number(),
  scansPerPost: z.number(),
  /** scans in all */
  count: z.number(),
  /** ends the load sooner */
  seconds: z.number().optional(),
  /** posts a second at most */
  ratePerS: z.number().optional(),
});
const resultSchema = z.object({
  acked: z.number(),
  /** posts with another answer, or none */
  refused: z.number(),
  seconds: z.number(),
  perSecond: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
});

export type ScanLoadOptions = z.infer<typeof optionsSchema>;
export type ScanLoadResult = z.infer<typeof resultSchema>;

/** Posts scans from a process of its own, so that whoever measures beside it is not held up by it. */
export async function scanLoad(options: ScanLoadOptions): Promise<ScanLoadResult> {
  return resultSchema.parse(await runChild(fileURLToPath(import.meta.url), options));
}

async function post(o: ScanLoadOptions): Promise<ScanLoadResult> {
  let [acked, refused] = [0, 0];
  const { perSecond: _posts, ...result } = await closedLoop({
    urls: [o.url],
    connections: o.connections,
    requests: scanRequests(o),
    onReply({ scans }, { status, body }) {
      if (status !== 202) refused += 1;
      else acked += scans.length === 1 ? 1 : body.split('"accepted"').length - 1;
    },
    onFailure: () => void (refused += 1),
    ...(o.seconds === undefined ? {} : { signal: AbortSignal.timeout(o.seconds * 1_000) }),
    ...(o.ratePerS === undefined ? {} : { ratePerS: o.ratePerS }),
  });
  return { ...result, acked, refused, perSecond: acked / result.seconds };
}

if (import.meta.main) {
  const result = await post(optionsSchema.parse(JSON.parse(process.argv[2] ?? '')));
  process.stdout.write(JSON.stringify(result));
}
