import { Problem } from '../domain/problem.ts';
import type { Scan } from '../domain/scan.ts';
import { requestHeader, toProblem } from '../platform/http-common.ts';
import { ackJson } from './ack.ts';
import { completeScan } from './complete-scan.ts';
import type { Confirmation, GroupCommit } from './group-commit.ts';
import { type EdgeContext, type Intake, laneOfSkier, requireDevice } from './intake.ts';
import { readPostedScan } from './posted-scan.ts';
import { refusal } from './refusal.ts';
import { type BodyRules, checkBodyHead, parseJson, readBody } from './request-body.ts';

const BODY: BodyRules = { maxBytes: 16 * 1024, mediaTypes: ['application/json'] };
const JSON_TYPE = { 'content-type': 'application/json' };

/** `POST /v1/scans`: one scan, answered once the queue has confirmed it. Checks come cheapest first. */
export function postScan(intake: Intake): (context: EdgeContext) => Promise<Response> {
  return async (context) => {
    try {
      return accepted(await takeScan(context, intake), 202);
    } catch (error) {
      const problem = toProblem(error, context, intake.logger);
      intake.metrics.refused(problem.code, 1);
      return refusal(problem, context);
    }
  };
}

async function takeScan(context: EdgeContext, intake: Intake): Promise<string> {
  const { directory, authenticator, quota, commit, now } = intake;
  checkBodyHead(context, BODY);
  const snapshot = directory.snapshot();
  const authorization = requestHeader(context, 'authorization');
  const device =
    authenticator.deviceOf(authorization, snapshot) ?? (await requireDevice(authorization, snapshot, authenticator));
  quota?.take(device.deviceId, 1);
  const posted = readPostedScan(parseJson(await readBody(context, BODY)));
  if (posted instanceof Problem) throw posted;
  const scan = completeScan(posted, device.deviceId, snapshot, now());
  if (scan instanceof Problem) throw scan;
  return ackJson(scan, await confirmed(commit, laneOfSkier(scan.skierId, snapshot), scan));
}

/** Resolves once the queue has confirmed the scan; @throws Problem `overloaded` or `queue_unavailable` */
export function confirmed(commit: GroupCommit, lane: number, scan: Scan): Promise<Confirmation> {
  return new Promise((resolve, reject) => {
    commit.add(lane, scan, (outcome) => {
      if (outcome instanceof Problem) reject(outcome);
      else resolve(outcome);
    });
  });
}

/** @param ack see {@link ackJson} */
export function accepted(ack: string, status: 201 | 202): Response {
  return new Response(ack, { status, headers: JSON_TYPE });
}
