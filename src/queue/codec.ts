import { z } from 'zod';
import { type Batch, MAX_SCANS_PER_BATCH } from '../domain/batch.ts';
import type { Scan } from '../domain/scan.ts';

/** What a job holds can't be read as a batch. It stays where it is: its bytes are somebody's rides. */
export class UnreadableBatch extends Error {
  override readonly name: string = 'UnreadableBatch';
}

/**
 * A batch that only a newer program can read. Nothing is wrong with it: during a rolling upgrade it waits in the queue for a
 * newer worker, where anything else that can't be read becomes a dead letter.
 */
export class NewerBatch extends UnreadableBatch {
  override readonly name = 'NewerBatch';
}

/** A column is an array with one value a scan, or the one value that all scans share. */
type Column<T> = T | T[];

/**
 * A batch as a job carries it: one column a field, since arrays of numbers are the cheapest JSON to write, to parse, and
 * to keep (about 70 bytes a scan, a third of an array of objects). A newer writer may add fields: readers ignore those
 * that they don't know. Whoever changes what a field means must raise `v`, and ship the reader first.
 */
interface EncodedBatch {
  v: 1;
  batchId: string;
  acceptedAt: number;
  parentBatchId?: string;
  /** number of scans */
  n: number;
  /** all event ids in a row, 36 characters each */
  eventIds: string;
  skierId: Column<number>;
  resortId: Column<number>;
  liftId: Column<number>;
  scannedAt: Column<number>;
  season: Column<number>;
  day: Column<number>;
  date: Column<string>;
  hour: Column<number>;
  verticalM: Column<number>;
  deviceId: Column<number>;
}

const VERSION = 1;
const UUID_LENGTH = 36;

/**
 * @param batch 1 to 500 scans, complete and valid: nothing is checked here, this is the hot path (about 1 µs a scan)
 * @returns plain data for BullMQ to write as JSON
 */
export function encodeBatch(batch: Batch): EncodedBatch {
  const { scans } = batch;
  let eventIds = '';
  for (const scan of scans) eventIds += scan.eventId;
  return {
    v: VERSION,
    batchId: batch.batchId,
    acceptedAt: batch.acceptedAt,
    ...(batch.parentBatchId === undefined ? {} : { parentBatchId: batch.parentBatchId }),
    n: scans.length,
    eventIds,
    skierId: column(scans, 'skierId'),
    resortId: column(scans, 'resortId'),
    liftId: column(scans, 'liftId'),
    scannedAt: column(scans, 'scannedAt'),
    season: column(scans, 'season'),
    day: column(scans, 'day'),
    date: column(scans, 'date'),
    hour: column(scans, 'hour'),
    verticalM: column(scans, 'verticalM'),
    deviceId: column(scans, 'deviceId'),
  };
}

function column<K extends keyof Scan>(scans: Scan[], field: K): Column<Scan[K]> {
  const first = (scans[0] as Scan)[field];
  const values = scans.map((scan) => scan[field]);
  return values.every((value) => value === first) ? first : values;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const uuid = z.string().regex(UUID);
const columnOf = <T extends z.ZodType>(value: T) => z.union([value, z.array(value)]);
const whole = columnOf(z.int());

/** The shape only. Ranges are the database's to judge, one scan at a time: a scan that it refuses must not take its neighbours along. */
const encodedBatch = z.object({
  batchId: uuid,
  acceptedAt: z.int(),
  parentBatchId: uuid.optional(),
  n: z.int().min(1).max(MAX_SCANS_PER_BATCH),
  eventIds: z.string(),
  skierId: whole,
  resortId: whole,
  liftId: whole,
  scannedAt: whole,
  season: whole,
  day: whole,
  date: columnOf(z.string().regex(/^\d{4}-\d{2}-\d{2}$/)),
  hour: whole,
  verticalM: whole,
  deviceId: whole,
});

/**
 * @param data what {@link encodeBatch} made, after a trip through JSON; unknown extra fields are ignored
 * @throws NewerBatch for a later version, UnreadableBatch with the reason for anything else
 */
export function decodeBatch(data: unknown): Batch {
  const version = typeof data === 'object' && data !== null && 'v' in data ? data.v : undefined;
  if (version !== VERSION) {
    const reason = `version ${JSON.stringify(version)}, this program reads version ${VERSION}`;
    throw Number.isSafeInteger(version) && Number(version) > VERSION
      ? new NewerBatch(reason)
      : new UnreadableBatch(reason);
  }
  const parsed = encodedBatch.safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UnreadableBatch(`${issue?.path.join('.') || 'batch'}: ${issue?.message ?? 'wrong shape'}`);
  }
  const { batchId, acceptedAt, parentBatchId } = parsed.data;
  const scans = toScans(parsed.data);
  return parentBatchId === undefined ? { batchId, acceptedAt, scans } : { batchId, acceptedAt, parentBatchId, scans };
}

function toScans(encoded: z.infer<typeof encodedBatch>): Scan[] {
  const { n, eventIds } = encoded;
  if (eventIds.length !== n * UUID_LENGTH) {
    throw new UnreadableBatch(`eventIds: ${eventIds.length} characters for ${n} scans`);
  }
  const skierId = reader('skierId', encoded.skierId, n);
  const resortId = reader('resortId', encoded.resortId, n);
  const liftId = reader('liftId', encoded.liftId, n);
  const scannedAt = reader('scannedAt', encoded.scannedAt, n);
  const season = reader('season', encoded.season, n);
  const day = reader('day', encoded.day, n);
  const date = reader('date', encoded.date, n);
  const hour = reader('hour', encoded.hour, n);
  const verticalM = reader('verticalM', encoded.verticalM, n);
  const deviceId = reader('deviceId', encoded.deviceId, n);
  return Array.from({ length: n }, (_, i) => ({
    eventId: eventIdAt(eventIds, i),
    skierId: skierId(i),
    resortId: resortId(i),
    liftId: liftId(i),
    scannedAt: scannedAt(i),
    season: season(i),
    day: day(i),
    date: date(i),
    hour: hour(i),
    verticalM: verticalM(i),
    deviceId: deviceId(i),
  }));
}

function eventIdAt(eventIds: string, index: number): string {
  const eventId = eventIds.slice(index * UUID_LENGTH, (index + 1) * UUID_LENGTH);
  if (!UUID.test(eventId)) throw new UnreadableBatch(`eventIds: no. ${index} is not a UUID`);
  return eventId;
}

function reader<T>(name: string, values: Column<T>, n: number): (index: number) => T {
  if (!Array.isArray(values)) return () => values;
  if (values.length !== n) throw new UnreadableBatch(`${name}: ${values.length} values for ${n} scans`);
  return (index) => values[index] as T;
}
