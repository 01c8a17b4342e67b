/** One stored scan, as a skier sees it. */
export interface RideRow {
  eventId: string;
  resortId: number;
  liftId: number;
  deviceId: number;
  /** milliseconds since the epoch */
  scannedAt: number;
  season: number;
  day: number;
  /** the resort's local date, YYYY-MM-DD */
  date: string;
  verticalM: number;
}

/** A skier's day at one resort. */
export interface DayRow {
  resortId: number;
  season: number;
  day: number;
  date: string;
  rides: number;
  verticalM: number;
  /** milliseconds since the epoch */
  firstAt: number;
  lastAt: number;
}

export interface SeasonRow {
  season: number;
  /** local dates with a ride, at whatever resort */
  days: number;
  rides: number;
  verticalM: number;
}

export type SeasonVerticalRow = Pick<SeasonRow, 'season' | 'verticalM'>;

/** A resort's day, summed over all shards. */
export interface ResortDayTotals {
  skiers: number;
  rides: number;
  verticalM: number;
  /** local hour 0 to 23; hours without a ride are left out */
  lifts: { liftId: number; hour: number; rides: number }[];
}

export interface RidesFilter {
  resorts?: number[];
  seasons?: number[];
  /** local days, YYYY-MM-DD, inclusive */
  from?: string;
  to?: string;
  limit: number;
  /** the last row of the page before */
  before?: { scannedAt: number; deviceId: number; eventId: string };
}

export interface DaysFilter {
  resorts?: number[];
  seasons?: number[];
  limit: number;
  /** the last row of the page before */
  before?: { date: string; season: number; resortId: number; day: number };
}
