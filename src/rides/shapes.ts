import { z } from 'zod';

// What the read side's replies look like: the types of the code and the schemas of /openapi.json.

const id = z.int().min(1);
const instant = z.string().meta({ format: 'date-time', description: 'RFC 3339, UTC' });
const date = z.string().meta({ format: 'date', description: 'a local day of the resort' });
const season = z.string().meta({ description: 'the season’s label, e.g. "2025"' });
const day = z.int().min(1).max(366).meta({ description: 'day of the season' });
const verticalM = z.int().min(0).meta({ description: 'metres' });
const rides = z.int().min(0);
const asOf = z.string().nullable().meta({
  format: 'date-time',
  description:
    'every scan whose ack carried this `acceptedAt` or an earlier one is in this answer; null while that is not known',
});
/** In front of every answer that is read from the nodes. */
const answer = {
  asOf,
  stale: z.literal(true).optional().meta({ description: 'a node is away: this is what it last said, as of `asOf`' }),
};
const skierAnswer = {
  ...answer,
  after: z
    .object({ status: z.enum(['queued', 'persisted', 'dead', 'discarded']) })
    .optional()
    .meta({ description: 'what became of the scan of `?after=`; `queued`: it is not in here yet' }),
};
const nextCursor = z.string().nullable().meta({ description: 'for `cursor` of the next page; null on the last one' });

const ride = z
  .object({
    eventId: z.string().meta({ format: 'uuid' }),
    resortId: id,
    liftId: id,
    liftName: z.string(),
    scannedAt: instant,
    season,
    day,
    date,
    verticalM,
  })
  .meta({ id: 'Ride' });
const daySummary = z
  .object({ resortId: id, season, day, date, rides, verticalM, firstAt: instant, lastAt: instant })
  .meta({ id: 'Day' });
const liftRides = z.object({ liftId: id, liftName: z.string(), rides });
const resortSummary = z.object({ resortId: id, name: z.string(), timeZone: z.string() }).meta({ id: 'Resort' });

export const ridesPage = z
  .object({
    ...skierAnswer,
    rides: z.array(ride),
    nextCursor,
    changesToken: z
      .string()
      .nullable()
      .meta({ description: 'for `changedSince`: what is stored after this answer; null on further pages of a cursor' }),
    reset: z.boolean().optional().meta({
      description:
        'only with `changedSince`: true when the token means nothing any more; then forget what you have, all rides follow',
    }),
    hasMore: z
      .boolean()
      .optional()
      .meta({ description: 'only with `changedSince`: more is new than this; ask at once with the new token' }),
  })
  .meta({ id: 'Rides' });
export const daysPage = z.object({ ...skierAnswer, days: z.array(daySummary), nextCursor }).meta({ id: 'Days' });
export const skierDay = z
  .object({
    ...skierAnswer,
    date,
    days: z.array(daySummary.extend({ lifts: z.array(liftRides) })),
    rides: z.array(ride),
  })
  .meta({ id: 'SkierDay' });
export const skierSeasons = z
  .object({ ...skierAnswer, seasons: z.array(z.object({ season, days: z.int().min(0), rides, verticalM })) })
  .meta({ id: 'SkierSeasons' });
export const resortList = z.object({ resorts: z.array(resortSummary) }).meta({ id: 'Resorts' });
export const resortDetail = z
  .object({
    ...resortSummary.shape,
    opensAt: z.string(),
    closesAt: z.string(),
    lifts: z.array(z.object({ liftId: id, name: z.string(), verticalM })),
    seasons: z.array(season),
  })
  .meta({ id: 'ResortDetail' });
export const resortDay = z
  .object({
    ...answer,
    resortId: id,
    date,
    season,
    day,
    skiers: z.int().min(0),
    rides,
    verticalM,
    lifts: z.array(
      z.object({
        liftId: id,
        name: z.string(),
        rides,
        hours: z.array(rides).length(24).meta({ description: 'rides by local hour, 0 to 23' }),
      }),
    ),
  })
  .meta({ id: 'ResortDay' });

/** What an answer says besides how fresh it is. */
type ContentOf<Answer> = Omit<Answer, keyof typeof skierAnswer>;

export type RideJson = z.infer<typeof ride>;
export type DayJson = z.infer<typeof daySummary>;
export type LiftRidesJson = z.infer<typeof liftRides>;
export type RidesPage = z.infer<typeof ridesPage>;
export type RidesContent = Pick<RidesPage, 'rides' | 'nextCursor'>;
export type DaysPage = z.infer<typeof daysPage>;
export type DaysContent = ContentOf<DaysPage>;
export type SkierDayContent = ContentOf<z.infer<typeof skierDay>>;
export type SkierSeasonsContent = ContentOf<z.infer<typeof skierSeasons>>;
export type ResortDayContent = ContentOf<z.infer<typeof resortDay>>;
export type ResortDetail = z.infer<typeof resortDetail>;
