import { until } from '../../client/until.ts';
import type { FaultContext } from '../fault.ts';

/** Scans in a second that do not count as "still taking": what devices were told to send again, and the last that fit in. */
const TRICKLE = 100;

/** Resolves when the edges take next to nothing. @throws Error when they still do after so many milliseconds */
export async function untilRefused(context: FaultContext, timeoutMs: number): Promise<void> {
  const takesFew = async () => {
    const before = context.acked();
    await context.wait(1_000);
    return context.acked() - before < TRICKLE || undefined;
  };
  await until('the edges refuse', takesFew, { timeoutMs });
}
