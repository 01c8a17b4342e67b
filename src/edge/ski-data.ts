import { z } from 'zod';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { MAX_SEASON, MAX_SEASON_DAYS, MIN_SEASON } from '../domain/calendar.ts';
import { Problem, type ProblemCode } from '../domain/problem.ts';
import { deriveEventId, OPEN_DEVICE_ID, type Scan } from '../domain/scan.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';
import { requestHeader, toProblem } from '../platform/http-common.ts';
import { ackJson } from './ack.ts';
import { QuotaExceeded } from './device-quota.ts';
import { type EdgeContext, type Intake, laneOfSkier, requireDevice } from './intake.ts';
import { accepted, confirmed } from './post-scan.ts';
import { problemOf } from './posted-scan.ts';
import { type BodyRules, checkBodyHead, parseJson, readBody } from './request-body.ts';

/** Any content type: some of the course's clients send none, or their library's default. */
const BODY: BodyRules = { maxBytes: 16 * 1024 };
const DIGITS = /^\d{1,10}$/;
const MAX_IDEMPOTENCY_KEY = 255;

/** The body of a ride. Other fields, ids among them, are ignored: the URL's ids win. */
export const liftRide = z
  .object({
    time: z.int().min(0).max(1439).meta({ description: 'minutes after the resort opens' }),
    liftID: z.int32().min(1),
  })
  .meta({ additionalProperties: true });

export interface SkiDataOptions {
  /** `open`: a post without a good device key comes from device 0 */
  skiDataApi: 'keys' | 'open';
}

/**
 * SkiDataAPI's `POST /skiers/{resortID}/seasons/{seasonID}/days/{dayID}/skiers/{skierID}`: 201 once the queue has confirmed
 * the ride. Any day of the seasons 1990 to 2100 is taken, however old or far ahead.
 */
export function postLiftRide(intake: Intake, options: SkiDataOptions): (context: EdgeContext) => Promise<Response> {
  return async (context) => {
    try {
      return accepted(await takeRide(context, intake, options), 201);
    } catch (error) {
      const problem = toProblem(error, context, intake.logger);
      intake.metrics.refused(problem.code, 1);
      return messageResponse(problem);
    }
  };
}

async function takeRide(context: EdgeContext, intake: Intake, options: SkiDataOptions): Promise<string> {
  checkBodyHead(context, BODY);
  const snapshot = intake.directory.snapshot();
  const deviceId = await deviceIdOf(context, snapshot, intake, options);
  const place = placeOf(context);
  const key = idempotencyKeyOf(context);
  const ride = liftRide.safeParse(parseJson(await readBody(context, BODY)));
  if (!ride.success) throw problemOf(ride.error);
  const scan = completeRide({ ...place, ...ride.data, key, deviceId }, snapshot);
  return ackJson(scan, await confirmed(intake.commit, laneOfSkier(scan.skierId, snapshot), scan));
}

async function deviceIdOf(
  context: EdgeContext,
  snapshot: DirectorySnapshot,
  { authenticator, quota }: Intake,
  { skiDataApi }: SkiDataOptions,
): Promise<number> {
  const authorization = requestHeader(context, 'authorization');
  const device = authenticator.deviceOf(authorization, snapshot);
  if (!device && skiDataApi === 'open') return OPEN_DEVICE_ID; // of everyone, so there is nobody whose quota it could be
  const { deviceId } = device ?? (await requireDevice(authorization, snapshot, authenticator));
  quota?.take(deviceId, 1);
  return deviceId;
}

interface Place {
  resortId: number;
  season: number;
  day: number;
  skierId: number;
}

function placeOf(context: EdgeContext): Place {
  return {
    resortId: pathNumber(context, 'resortID', 1, MAX_SKIER_ID),
    season: pathNumber(context, 'seasonID', MIN_SEASON, MAX_SEASON),
    day: pathNumber(context, 'dayID', 1, MAX_SEASON_DAYS),
    skierId: pathNumber(context, 'skierID', 1, MAX_SKIER_ID),
  };
}

function pathNumber(context: EdgeContext, name: string, min: number, max: number): number {
  const text = context.req.param(name) ?? '';
  const value = DIGITS.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Problem('invalid', `${name} must be a whole number from ${min} to ${max}`);
}

function idempotencyKeyOf(context: EdgeContext): string | undefined {
  const key = requestHeader(context, 'idempotency-key');
  if (key === undefined || (key !== '' && key.length <= MAX_IDEMPOTENCY_KEY)) return key;
  throw new Problem('invalid', `Idempotency-Key must have 1 to ${MAX_IDEMPOTENCY_KEY} characters`);
}

interface Ride extends Place {
  time: number;
  liftID: number;
  key: string | undefined;
  deviceId: number;
}

function completeRide(ride: Ride, snapshot: DirectorySnapshot): Scan {
  const { resortId, season, day, skierId, time, liftID: liftId, key, deviceId } = ride;
  const resort = snapshot.resorts.get(resortId);
  if (!resort) throw new Problem('unknown_resort', `no resort ${resortId}`);
  const lift = resort.lifts.get(liftId);
  if (!lift) throw new Problem('unknown_lift', `resort ${resortId} has no lift ${liftId}`);
  const { scannedAt, date, hour } = resort.calendar.instantOf(season, day, time);
  const fields = [resortId, season, day, skierId, liftId, time];
  const eventId = key === undefined ? deriveEventId(...fields) : deriveEventId(...fields, key);
  return {
    eventId,
    skierId,
    resortId,
    liftId,
    scannedAt,
    season,
    day,
    date,
    hour,
    verticalM: lift.verticalM,
    deviceId,
  };
}

/** This contract knows 400 for what can't be, 404 for what is not there, and `message` for both. */
const STATUS_HERE: Partial<Record<ProblemCode, number>> = { invalid: 400, unknown_resort: 404, unknown_lift: 404 };

function messageResponse(problem: Problem): Response {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (problem instanceof QuotaExceeded) Object.assign(headers, problem.headers);
  if (problem.retryAfterS !== undefined) headers['retry-after'] = String(problem.retryAfterS);
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer';
  const status = STATUS_HERE[problem.code] ?? problem.status;
  return new Response(JSON.stringify({ message: problem.message }), { status, headers });
}
