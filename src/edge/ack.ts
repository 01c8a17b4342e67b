import { encodeReceipt } from '../domain/receipt.ts';
import type { Scan } from '../domain/scan.ts';
import type { Confirmation } from './group-commit.ts';

let lastMs = 0;
let lastText = '';

/** Acks of one job, and often of a few, say the same time. */
function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = new Date(ms).toISOString();
  }
  return lastText;
}

/** @returns the JSON of an ack; nothing in it needs to be escaped */
export function ackJson(scan: Scan, { acceptedAt: enqueuedAt, confirmedAt: acceptedAt }: Confirmation): string {
  const { skierId, deviceId, scannedAt, eventId } = scan;
  const receipt = encodeReceipt({ skierId, deviceId, scannedAt, eventId, enqueuedAt, acceptedAt });
  return `{"eventId":"${eventId}","status":"accepted","acceptedAt":"${timeText(acceptedAt)}","receipt":"${receipt}"}`;
}
