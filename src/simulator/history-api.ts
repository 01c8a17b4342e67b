import { z } from 'zod';
import type { Lift } from './network.ts';

/** A resort as the public routes describe it. */
export interface ResortInfo {
  resortId: number;
  name: string;
  timeZone: string;
  /** local, `HH:MM` */
  opensAt: string;
  closesAt: string;
  lifts: Lift[];
}

export interface StoredRide {
  eventId: string;
  resortId: number;
  liftId: number;
  /** milliseconds since the epoch */
  scannedAtMs: number;
  verticalM: number;
}

/** A skier's day as the API counts it. */
export interface StoredDay {
  resortId: number;
  rides: number;
  verticalM: number;
}

/** What an operator reads. All of them throw {@link ReadError}. */
export interface HistoryApi {
  resort(resortId: number): Promise<ResortInfo>;
  /** every ride of a skier on one local date (`YYYY-MM-DD`), page by page, newest first */
  rides(skierId: number, date: string): Promise<StoredRide[]>;
  /** the totals of the same date, one for each resort visited */
  days(skierId: number, date: string): Promise<StoredDay[]>;
}

export class ReadError extends Error {
  override readonly name = 'ReadError';
  /** 0 when there was no reply */
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const resort = z.object({
  resortId: z.number(),
  name: z.string(),
  timeZone: z.string(),
  opensAt: z.string(),
  closesAt: z.string(),
  lifts: z.array(z.object({ liftId: z.number(), name: z.string(), verticalM: z.number() })),
});
const ride = z.object({
  eventId: z.string(),
  resortId: z.number(),
  liftId: z.number(),
  scannedAt: z.iso.datetime({ offset: true }),
  verticalM: z.number(),
});
const ridesPage = z.object({ rides: z.array(ride), nextCursor: z.string().nullish() });
const day = z.object({ days: z.array(z.object({ resortId: z.number(), rides: z.number(), verticalM: z.number() })) });

const PAGE = 200;
const REQUEST_TIMEOUT_MS = 10_000;

export function historyApi(o: { baseUrl: string; adminKey: string }): HistoryApi {
  const get = async <T>(path: string, shape: z.ZodType<T>): Promise<T> => {
    const reply = await fetchText(`${o.baseUrl}${path}`, o.adminKey);
    const parsed = shape.safeParse(JSON.parse(reply));
    if (!parsed.success) throw new ReadError(200, `${path}: unexpected reply: ${z.prettifyError(parsed.error)}`);
    return parsed.data;
  };
  return {
    resort: (resortId) => get(`/v1/resorts/${resortId}`, resort),
    async rides(skierId, date) {
      const found: StoredRide[] = [];
      const query = `from=${date}&to=${date}&limit=${PAGE}`;
      let cursor: string | null | undefined;
      do {
        const more: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
        const page = await get(`/v1/skiers/${skierId}/rides?${query}${more}`, ridesPage);
        found.push(...page.rides.map(({ scannedAt, ...rest }) => ({ ...rest, scannedAtMs: Date.parse(scannedAt) })));
        cursor = page.nextCursor;
      } while (cursor);
      return found;
    },
    days: async (skierId, date) => (await get(`/v1/skiers/${skierId}/days/${date}`, day)).days,
  };
}

async function fetchText(url: string, adminKey: string): Promise<string> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, {
      headers: { authorization: `Bearer ${adminKey}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    body = await response.text();
  } catch (error) {
    throw new ReadError(0, `no reply from ${url}`, { cause: error });
  }
  if (!response.ok) throw new ReadError(response.status, `${response.status} from ${url}: ${body.slice(0, 200)}`);
  return body;
}
