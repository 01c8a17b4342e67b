import { check } from 'k6';
import http from 'k6/http';
import type { Scan } from './scans.ts';
import type { Settings } from './settings.ts';

/** Longer than the edge's own deadline for an ack. */
const TIMEOUT = '10s';

/** A gate: one device, by its key. */
export interface Gate {
  baseUrl: string;
  deviceKey: string;
}

/** @param n any number: gates take turns */
export function gateOf({ baseUrl, deviceKeys }: Settings, n: number): Gate {
  return { baseUrl, deviceKey: deviceKeys[n % deviceKeys.length] ?? '' };
}

/**
 * `POST /v1/scans`.
 *
 * @param phase part of the run, as a tag
 * @param op under which it is counted
 * @returns whether the scan was acked: 202, so it must become readable
 */
export async function postScan(gate: Gate, scan: Scan, phase: string, op = 'ack'): Promise<boolean> {
  const response = await http.asyncRequest('POST', `${gate.baseUrl}/v1/scans`, JSON.stringify(scan), {
    headers: headers(gate, 'application/json'),
    tags: { name: 'POST /v1/scans', op, phase },
    timeout: TIMEOUT,
  });
  return check(response, { 'scan: 202': ({ status }) => status === 202 }, { phase });
}

/**
 * `POST /v1/scans/batch`, counted under {op:batch}; what comes back as `retry` is sent again, once.
 *
 * @param scans 1 to 1,000
 * @param format NDJSON, as most gates keep it on disk, or one JSON document
 * @returns the scans that were acked
 */
export async function postBatch(gate: Gate, scans: readonly Scan[], format: 'json' | 'ndjson'): Promise<Scan[]> {
  const first = await sendBatch(gate, scans, format);
  const again = first.retry.length === 0 ? first : await sendBatch(gate, first.retry, format);
  const acked = first === again ? first.accepted : first.accepted.concat(again.accepted);
  check(acked, { 'batch: every scan acked': ({ length }) => length === scans.length });
  return acked;
}

interface BatchOutcome {
  accepted: Scan[];
  retry: Scan[];
}

async function sendBatch(gate: Gate, scans: readonly Scan[], format: 'json' | 'ndjson'): Promise<BatchOutcome> {
  const isJson = format === 'json';
  const body = isJson ? JSON.stringify({ scans }) : scans.map((scan) => JSON.stringify(scan)).join('\n');
  const response = await http.asyncRequest('POST', `${gate.baseUrl}/v1/scans/batch`, body, {
    headers: headers(gate, isJson ? 'application/json' : 'application/x-ndjson'),
    tags: { name: 'POST /v1/scans/batch', op: 'batch' },
    timeout: TIMEOUT,
  });
  const isTaken = check(response, { 'batch: 202': ({ status }) => status === 202 });
  if (!isTaken) return { accepted: [], retry: [...scans] };
  const { results } = response.json() as { results: { status: string }[] };
  const thatAre = (status: string) => scans.filter((_, index) => results[index]?.status === status);
  return { accepted: thatAre('accepted'), retry: thatAre('retry') };
}

function headers(gate: Gate, mediaType: string): { [name: string]: string } {
  return { Authorization: `Bearer ${gate.deviceKey}`, 'Content-Type': mediaType };
}
