/** What one answer said that was not so. */
export interface Lie {
  kind: 'missing' | 'phantom' | 'twice';
  text: string;
}

/** An answer of `GET /v1/skiers/{id}/rides`, all of a skier's rides on one page. */
export interface HistoryAnswer {
  /** who gave it */
  source: string;
  skierId: number;
  /** milliseconds since the epoch, or null when nobody had told it */
  asOf: number | null;
  isStale: boolean;
  eventIds: string[];
}

/** What was sent and what was acked, as replies arrived; holds answers against it. */
export class Acks {
  /** of each skier: the earliest `acceptedAt` of each scan that was acked, null of one that was only sent */
  readonly #scans = new Map<number, Map<string, number | null>>();
  #acked = 0;

  /** distinct scans */
  get acked(): number {
    return this.#acked;
  }

  sent(skierId: number, eventId: string): void {
    const scans = this.#scans.get(skierId) ?? new Map<string, number | null>();
    this.#scans.set(skierId, scans);
    if (!scans.has(eventId)) scans.set(eventId, null);
  }

  /** @param acceptedAt milliseconds since the epoch, as the ack said */
  confirmed(skierId: number, eventId: string, acceptedAt: number): void {
    const scans = this.#scans.get(skierId);
    const known = scans?.get(eventId);
    if (scans === undefined || known === undefined) throw new Error(`${eventId} was acked and never sent`);
    if (known === null) this.#acked += 1;
    scans.set(eventId, known === null ? acceptedAt : Math.min(known, acceptedAt));
  }

  /**
   * To be called some time after the answer came: acks of scans that it claims to hold may arrive later than it does.
   *
   * @returns what it said that is not so
   */
  lies({ source, skierId, asOf, isStale, eventIds }: HistoryAnswer): Lie[] {
    const scans = this.#scans.get(skierId) ?? new Map<string, number | null>();
    const found = new Set(eventIds);
    const lies: Lie[] = [];
    const at = `skier ${skierId} at ${source}${isStale ? ', stale' : ''}`;
    if (found.size < eventIds.length) lies.push({ kind: 'twice', text: `${at}: a ride is there twice` });
    for (const eventId of found) {
      if (!scans.has(eventId)) lies.push({ kind: 'phantom', text: `${at}: ${eventId} was never sent` });
    }
    for (const [eventId, acceptedAt] of scans) {
      if (acceptedAt === null || asOf === null || acceptedAt > asOf || found.has(eventId)) continue;
      const text = `${at}: as of ${time(asOf)} without ${eventId}, acked at ${time(acceptedAt)}`;
      lies.push({ kind: 'missing', text });
    }
    return lies;
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
