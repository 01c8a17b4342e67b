/** What a run takes from outside (`k6 run -e NAME=value`); everything has a default but the keys. */
export interface Settings {
  /** where edge, rides and ops answer, without a slash at the end */
  baseUrl: string;
  /** one or more; a scan's device is the key it was sent with */
  deviceKeys: readonly string[];
  /** reads every skier's rides */
  adminKey: string;
  /** scans (or reads and scans, in the read mix) a second, from 1 */
  rate: number;
  /** how long the main part takes, as k6 writes durations: 30s, 10m */
  duration: string;
}

/**
 * @param defaults what RATE and DURATION are without being set
 * @throws Error when a key is missing or a value can't be
 */
export function readSettings(defaults: { rate: number; duration: string }): Settings {
  const rate = Number(__ENV.RATE || defaults.rate);
  if (!Number.isInteger(rate) || rate < 1) throw new Error(`RATE must be a whole number from 1, not ${__ENV.RATE}`);
  return {
    baseUrl: (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, ''),
    deviceKeys: required('DEVICE_KEY').split(','),
    adminKey: required('ADMIN_KEY'),
    rate,
    duration: __ENV.DURATION || defaults.duration,
  };
}

function required(name: string): string {
  const value = __ENV[name];
  if (!value) throw new Error(`${name} is not set: pass it with -e ${name}=...`);
  return value;
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
