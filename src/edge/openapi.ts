import { type DescribeRouteOptions, resolver, uniqueSymbol } from 'hono-openapi';
import { z } from 'zod';
import { pathParameter, routeDoc } from '../platform/openapi.ts';
import { MAX_POSTED_SCANS } from './batch-body.ts';
import type { EdgeContext } from './intake.ts';
import { postedScan } from './posted-scan.ts';
import { liftRide } from './ski-data.ts';

type Handler = (context: EdgeContext) => Promise<Response> | Response;

/**
 * Puts a route's description onto its handler, where the generator of `/openapi.json` finds it. The library's own
 * `describeRoute` would be one more middleware on every request.
 */
export function described(spec: DescribeRouteOptions, handler: Handler): Handler {
  return Object.assign(handler, { [uniqueSymbol]: { spec } });
}

const eventId = z.string().meta({ format: 'uuid' });
const acceptedAt = z.string().meta({
  format: 'date-time',
  description: 'on the queue’s clock: an answer whose `asOf` is this or later holds the scan',
});
const receipt = z.string().meta({ description: 'opaque; `GET /v1/receipts/{receipt}` tells what became of the scan' });
const accepted = z.object({ eventId, status: z.literal('accepted'), acceptedAt, receipt }).meta({ id: 'Accepted' });
const batch = z.object({ scans: z.array(postedScan).min(1).max(MAX_POSTED_SCANS) }).meta({ id: 'Batch' });
const batchResults = z
  .object({
    results: z.array(
      z.object({
        eventId: eventId.nullable().meta({ description: 'null for a rejected entry that came without one' }),
        status: z.enum(['accepted', 'rejected', 'retry']).meta({
          description: '`rejected` is final; `retry`: this lane could not confirm, send the scan again',
        }),
        acceptedAt: acceptedAt.optional(),
        receipt: receipt.optional(),
        error: z.object({ code: z.string(), detail: z.string() }).optional(),
      }),
    ),
  })
  .meta({ id: 'BatchResults' });

export const SCAN_ROUTE = routeDoc({
  summary: 'Post one scan; answered once the queue holds it durably',
  tag: 'Scans',
  audience: ['deviceKey'],
  body: postedScan,
  status: 202,
  reply: accepted,
  problems: [
    'malformed',
    'unauthorized',
    'forbidden',
    'request_timeout',
    'too_large',
    'unsupported_media_type',
    'invalid',
    'unknown_resort',
    'unknown_lift',
    'too_far_ahead',
    'too_old',
    'quota_exceeded',
    'overloaded',
    'queue_unavailable',
  ],
});

const batchDoc = routeDoc({
  summary: `Post 1 to ${MAX_POSTED_SCANS.toLocaleString('en')} scans; each has its own result, in order`,
  description: 'JSON or a scan a line (NDJSON), gzip or not, at most 1 MB after decompression.',
  tag: 'Scans',
  audience: ['deviceKey'],
  body: batch,
  status: 202,
  reply: batchResults,
  problems: [
    'malformed',
    'unauthorized',
    'forbidden',
    'request_timeout',
    'too_large',
    'unsupported_media_type',
    'quota_exceeded',
    'overloaded',
    'queue_unavailable',
  ],
});

export const BATCH_ROUTE: DescribeRouteOptions = {
  ...batchDoc,
  requestBody: {
    required: true,
    content: {
      'application/json': { schema: resolver(batch) },
      'application/x-ndjson': { schema: resolver(postedScan) },
    },
  },
};

export const LIFT_RIDE_ROUTE = routeDoc({
  summary: 'Write a lift ride; answered once the queue holds it durably',
  tag: 'SkiDataAPI',
  audience: ['deviceKey'],
  parameters: [
    pathParameter('resortID', { type: 'integer' }),
    pathParameter('seasonID', { type: 'string' }),
    pathParameter('dayID', { type: 'string' }, '1 to 366'),
    pathParameter('skierID', { type: 'integer' }),
    {
      name: 'Idempotency-Key',
      in: 'header',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
      description: 'tells rides apart that are equal in every field',
    },
  ],
  body: liftRide,
  status: 201,
  reply: accepted,
  problems: [
    'malformed',
    'unauthorized',
    'forbidden',
    'not_found',
    'too_large',
    'quota_exceeded',
    'overloaded',
    'queue_unavailable',
  ],
  errorSchema: z.object({ message: z.string() }),
});
