import type { JSONObject } from 'k6';
import http from 'k6/http';
import type { Settings } from './settings.ts';

/** A lift of some resort. */
export interface Lift {
  resortId: number;
  liftId: number;
}

const RESORTS = 10;

/**
 * Asks the service which lifts there are, so that the scripts run against any installation.
 *
 * @returns the lifts of the first ten resorts
 * @throws Error when the service does not answer, or has no lift at all
 */
export async function learnLifts({ readUrl }: Settings): Promise<Lift[]> {
  const { resorts } = await get<{ resorts: { resortId: number }[] }>(`${readUrl}/v1/resorts`);
  const lifts: Lift[] = [];
  for (const { resortId } of resorts.slice(0, RESORTS)) {
    const resort = await get<{ lifts: { liftId: number }[] }>(`${readUrl}/v1/resorts/${resortId}`);
    for (const { liftId } of resort.lifts) lifts.push({ resortId, liftId });
  }
  if (lifts.length === 0) throw new Error(`${readUrl} knows no resort with a lift`);
  return lifts;
}

async function get<T extends JSONObject>(url: string): Promise<T> {
  const response = await http.asyncRequest('GET', url, null, { tags: { name: 'setup', op: 'setup' } });
  if (response.status !== 200) throw new Error(`GET ${url}: ${response.status} ${response.error}`);
  return response.json() as T;
}
