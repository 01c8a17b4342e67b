import { z } from 'zod';
import { Problem } from '../domain/problem.ts';

/** 1 to 2147483647; a sixth faster than `z.int()` with both bounds */
const id = z.int32().min(1);

/** A scan as a device posts it. Fields that we don't know are ignored. */
export const postedScan = z
  .object({
    eventId: z
      .guid()
      .optional()
      .meta({ description: 'made by the device, UUID v7 advised; derived from the fields when absent' }),
    resortId: id,
    liftId: id,
    skierId: id,
    scannedAt: z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339 with offset' }),
  })
  .meta({
    additionalProperties: true,
    examples: [
      {
        eventId: '01935e2c-7c3a-7d1e-8f54-3b1c9a2e4d60',
        resortId: 1,
        liftId: 12,
        skierId: 4711,
        scannedAt: '2025-12-27T10:31:07.250+01:00',
      },
    ],
  });

export type PostedScan = z.infer<typeof postedScan>;

/** @returns the scan, or a `malformed` (wrong shape or type) or `invalid` (right shape, impossible value) Problem */
export function readPostedScan(value: unknown): PostedScan | Problem {
  const parsed = postedScan.safeParse(value);
  return parsed.success ? parsed.data : problemOf(parsed.error);
}

/**
 * The problem that says what is wrong with every field. A field that is missing or of another JSON type makes it
 * `malformed`; one that holds what can't be (an id of 0 or 1.5, Feb 30, a time without offset) makes it `invalid`.
 */
export function problemOf(error: z.ZodError): Problem {
  const isMalformed = error.issues.some((issue) => issue.code === 'invalid_type' && issue.expected !== 'int');
  const detail = error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  return new Problem(isMalformed ? 'malformed' : 'invalid', detail);
}
