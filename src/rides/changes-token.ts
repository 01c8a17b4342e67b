import { z } from 'zod';
import { isUuid } from '../domain/scan.ts';
import type { Since } from '../shards/new-rides.ts';
import { boundedText, parseSnapshot } from '../shards/pg-snapshot.ts';
import type { Position } from '../shards/read-at.ts';
import { ridePlace } from './cursor.ts';
import { opaqueText, readOpaqueText } from './opaque-text.ts';

const VERSION = 1;
const MAX_LENGTH = 1_000;
const snapshot = z.string().refine((text) => parseSnapshot(text) !== undefined);
const MAX_TIME_MS = Date.UTC(2200, 0);
const page = z.tuple([snapshot, z.int().min(0).max(MAX_TIME_MS).nullable(), ...ridePlace]);
const token = z.tuple([
  z.literal(VERSION),
  z.literal('changes'),
  z.string().refine(isUuid),
  z.int().min(0),
  snapshot.nullable(),
  page.nullable(),
]);

/** @returns what its holder has of a skier's rides: opaque, about 100 characters */
export function changesTokenOf({ identity, epoch, seen, page: at }: Since): string {
  const rest = at && [boundedText(at.upTo), at.asOf, at.after.scannedAt, at.after.deviceId, at.after.eventId];
  return opaqueText([VERSION, 'changes', identity, epoch, seen === null ? null : boundedText(seen), rest ?? null]);
}

/** @returns the token of who has read everything there was at a position */
export function tokenOfPosition({ identity, epoch, snapshot: seen }: Position): string {
  return changesTokenOf({ identity, epoch, seen });
}

/** @throws Problem `bad_cursor` for anything that {@link changesTokenOf} did not make */
export function readChangesToken(text: string): Since {
  const problem = 'this token was not given by this list; read it anew, without one';
  const [, , identity, epoch, seen, at] = readOpaqueText(token, text, { maxLength: MAX_LENGTH, problem });
  if (!at) return { identity, epoch, seen };
  const [upTo, asOf, scannedAt, deviceId, eventId] = at;
  return { identity, epoch, seen, page: { upTo, asOf, after: { scannedAt, deviceId, eventId } } };
}
