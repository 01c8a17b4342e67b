import { MAX_SCANS_PER_BATCH } from '../domain/batch.ts';
import { Problem } from '../domain/problem.ts';
import { isUuid, type Scan } from '../domain/scan.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { requestHeader, toProblem } from '../platform/http-common.ts';
import { readBatch } from './batch-body.ts';
import { ackJson } from './ack.ts';
import { completeScan } from './complete-scan.ts';
import type { Confirmation, GroupCommit } from './group-commit.ts';
import { type EdgeContext, type Intake, laneOfSkier, requireDevice } from './intake.ts';
import { readPostedScan } from './posted-scan.ts';
import { refusal } from './refusal.ts';
import { type BodyRules, checkBodyHead, readBody } from './request-body.ts';

const BODY: BodyRules = {
  maxBytes: 1024 * 1024,
  mediaTypes: ['application/json', 'application/x-ndjson'],
  takesGzip: true,
};

/** What became of one entry of a batch. */
type Entry = { posted: unknown } & (Committed | { rejected: Problem });

/** A good scan, and what its lane said. */
interface Committed {
  scan: Scan;
  outcome: Confirmation | Problem;
}

const NOT_YET = new Problem('queue_unavailable', 'the queue has not confirmed the scan; send it again');

/**
 * `POST /v1/scans/batch`: 1 to 1,000 scans, each with a result of its own, in order. A bad one harms only itself; a lane
 * that can't confirm makes its scans `retry` and leaves the others accepted.
 */
export function postBatch(intake: Intake): (context: EdgeContext) => Promise<Response> {
  return async (context) => {
    try {
      const entries = await takeBatch(context, intake);
      countRefused(entries, intake);
      const reason = whyAllMustRetry(entries);
      return reason ? refusal(reason, context) : results(entries);
    } catch (error) {
      const problem = toProblem(error, context, intake.logger);
      intake.metrics.refused(problem.code, 1);
      return refusal(problem, context);
    }
  };
}

async function takeBatch(context: EdgeContext, intake: Intake): Promise<Entry[]> {
  const mediaType = checkBodyHead(context, BODY);
  const snapshot = intake.directory.snapshot();
  const device = await requireDevice(requestHeader(context, 'authorization'), snapshot, intake.authenticator);
  intake.quota?.check(device.deviceId);
  const posted = readBatch(await readBody(context, BODY), mediaType);
  intake.quota?.take(device.deviceId, posted.length);
  const nowMs = intake.now();
  const entries = posted.map((one) => readEntry(one, device.deviceId, snapshot, nowMs));
  refuseUnreadable(entries);
  await commitByLane(entries, snapshot, intake.commit);
  return entries;
}

function readEntry(posted: unknown, deviceId: number, snapshot: DirectorySnapshot, nowMs: number): Entry {
  const read = posted instanceof Problem ? posted : readPostedScan(posted);
  const scan = read instanceof Problem ? read : completeScan(read, deviceId, snapshot, nowMs);
  return scan instanceof Problem ? { posted, rejected: scan } : { posted, scan, outcome: NOT_YET };
}

/** @throws the first problem when not one entry is a scan at all */
function refuseUnreadable(entries: Entry[]): void {
  const first = entries[0];
  const isUnreadable = (entry: Entry) => 'rejected' in entry && entry.rejected.code === 'malformed';
  if (first && 'rejected' in first && entries.every(isUnreadable)) throw first.rejected;
}

/** Notes on each scan what its lane said. */
async function commitByLane(entries: Entry[], snapshot: DirectorySnapshot, commit: GroupCommit): Promise<void> {
  const scans = entries.filter((entry) => 'scan' in entry);
  const lanes = Map.groupBy(scans, ({ scan }) => laneOfSkier(scan.skierId, snapshot));
  const confirmations: Promise<void>[] = [];
  for (const [lane, ofLane] of lanes) {
    for (let from = 0; from < ofLane.length; from += MAX_SCANS_PER_BATCH) {
      const together = ofLane.slice(from, from + MAX_SCANS_PER_BATCH);
      confirmations.push(commitTogether(together, lane, commit));
    }
  }
  await Promise.all(confirmations);
}

function commitTogether(entries: Committed[], lane: number, commit: GroupCommit): Promise<void> {
  const scans = entries.map(({ scan }) => scan);
  return new Promise((resolve) => {
    commit.addTogether(lane, scans, (outcome) => {
      for (const entry of entries) entry.outcome = outcome;
      resolve();
    });
  });
}

function whyAllMustRetry(entries: Entry[]): Problem | undefined {
  const reasons = entries.map((entry) => ('scan' in entry ? unconfirmed(entry) : undefined));
  return reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
}

function unconfirmed({ outcome }: Committed): Problem | undefined {
  return outcome instanceof Problem ? outcome : undefined;
}

function countRefused(entries: Entry[], { metrics }: Intake): void {
  for (const entry of entries) {
    const problem = 'rejected' in entry ? entry.rejected : unconfirmed(entry);
    if (problem) metrics.refused(problem.code, 1);
  }
}

function results(entries: Entry[]): Response {
  const body = `{"results":[${entries.map(result).join(',')}]}`;
  return new Response(body, { status: 202, headers: { 'content-type': 'application/json' } });
}

function result(entry: Entry): string {
  if ('rejected' in entry) return failed(eventIdOf(entry.posted), 'rejected', entry.rejected);
  const { scan, outcome } = entry;
  return outcome instanceof Problem ? failed(scan.eventId, 'retry', outcome) : ackJson(scan, outcome);
}

function failed(eventId: string | null, status: 'rejected' | 'retry', { code, message }: Problem): string {
  return JSON.stringify({ eventId, status, error: { code, detail: message } });
}

/** The id that a rejected entry came with, so that its device finds it again; null when it is no id. */
function eventIdOf(posted: unknown): string | null {
  if (typeof posted !== 'object' || posted === null || !('eventId' in posted)) return null;
  return typeof posted.eventId === 'string' && isUuid(posted.eventId) ? posted.eventId.toLowerCase() : null;
}
