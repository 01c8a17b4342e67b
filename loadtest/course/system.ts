import type { Lifecycle } from '../../src/platform/lifecycle.ts';
import { startAllInOne } from '../all-in-one.ts';
import { type Stack, startStack, type StackOptions } from '../stack.ts';

/** What a load sees of a running Liftline. */
export interface System {
  writeUrls: string[];
  readUrls: string[];
  opsUrl: string;
  adminKey: string;
  deviceKey: string;
  /** undefined for the all-in-one */
  stack: Stack | undefined;
}

export async function startSplit(lifecycle: Lifecycle, o: StackOptions): Promise<System> {
  const stack = await startStack(o, lifecycle);
  return {
    writeUrls: stack.edges.map(({ url }) => url),
    readUrls: stack.rides.map(({ url }) => url),
    opsUrl: stack.ops.url,
    adminKey: stack.adminKey,
    deviceKey: stack.deviceKey,
    stack,
  };
}

export async function startWhole(lifecycle: Lifecycle): Promise<System> {
  const whole = await startAllInOne({}, lifecycle);
  const urls = [whole.url];
  const { adminKey, deviceKey, url } = whole;
  return { writeUrls: urls, readUrls: urls, opsUrl: url, adminKey, deviceKey, stack: undefined };
}
