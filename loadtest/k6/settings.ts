/** What a run takes from outside (`k6 run -e NAME=value`); everything has a default but the keys. */
export interface Settings {
  /** where scans go, without a slash at the end: the gateway, or an edge */
  baseUrl: string;
  /** where reads go; the same unless READ_URL names another, for a stack without a gateway */
  readUrl: string;
  /** one or more; a scan's device is the key it was sent with */
  deviceKeys: readonly string[];
  /** reads every skier's rides */
  adminKey: string;
  /** scans (or reads and scans, in the read mix) a second, from 1 */
  rate: number;
  /** how long the main part takes, as k6 writes durations: 30s, 10m */
  duration: string;
  /** an acked scan that can't be read after this long counts as lost, milliseconds; LOST_AFTER_MS */
  lostAfterMs: number;
}

const LOST_AFTER_MS = 30_000;

/**
 * @param defaults what RATE and DURATION are without being set
 * @throws Error when a key is missing or a value can't be
 */
export function readSettings(defaults: { rate: number; duration: string }): Settings {
  const rate = Number(__ENV.RATE || defaults.rate);
  if (!Number.isInteger(rate) || rate < 1) throw new Error(`RATE must be a whole number from 1, not ${__ENV.RATE}`);
  const baseUrl = withoutSlash(__ENV.BASE_URL || 'http://127.0.0.1:8080');
  return {
    baseUrl,
    readUrl: withoutSlash(__ENV.READ_URL || baseUrl),
    deviceKeys: required('DEVICE_KEY').split(','),
    adminKey: required('ADMIN_KEY'),
    rate,
    duration: __ENV.DURATION || defaults.duration,
    lostAfterMs: Number(__ENV.LOST_AFTER_MS || LOST_AFTER_MS),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function required(name: string): string {
  const value = __ENV[name];
  if (!value) throw new Error(`${name} is not set: pass it with -e ${name}=...`);
  return value;
}

/** How late iterations may end: a little after a scan is given up for lost. k6 would cut them short at 30 s. */
export function gracefulStop({ lostAfterMs }: Settings): string {
  return `${lostAfterMs + 10_000}ms`;
}

/**
 * Users enough for every iteration to take a quarter of a second, which is far beyond the thresholds, and for the few
 * that wait for their scan to become readable; as many again before iterations are dropped.
 *
 * @param perSecond iterations a second at the highest
 */
export function usersFor(perSecond: number): { preAllocatedVUs: number; maxVUs: number } {
  const preAllocatedVUs = 50 + Math.ceil(perSecond / 4);
  return { preAllocatedVUs, maxVUs: preAllocatedVUs * 2 };
}
