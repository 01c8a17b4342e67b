/** What one answer said that was not so. */
export interface Lie {
  kind: 'missing' | 'phantom' | 'twice';
  text: string;
}

/** What was answered of one subject. */
export interface Answer {
  /** who gave it */
  source: string;
  /** of whom it speaks: a skier, or a resort's day */
  subject: string;
  /** milliseconds since the epoch, or null when nobody had told it */
  asOf: number | null;
  isStale: boolean;
  /** the event ids of all rides, or how many these are */
  holds: readonly string[] | number;
}

interface Sent {
  eventId: string;
  /** the earliest that an ack said, milliseconds since the epoch; undefined of what was not acked */
  acceptedAt?: number;
}

/** What was sent and what was acked, as replies arrived; holds answers against it. */
export class Acks {
  readonly #scans = new Map<string, Sent>();
  readonly #bySubject = new Map<string, Sent[]>();
  #acked = 0;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** distinct scans */
  get acked(): number {
    return this.#acked;
  }

  /** the latest time that an ack said */
  get lastAt(): number {
    return this.#lastAt;
  }

  get subjects(): string[] {
    return [...this.#bySubject.keys()];
  }

  /** @param subjects all whose answers have to hold it */
  sent(eventId: string, subjects: readonly string[]): void {
    if (this.#scans.has(eventId)) return;
    const scan: Sent = { eventId };
    this.#scans.set(eventId, scan);
    for (const subject of subjects) {
      const known = this.#bySubject.get(subject);
      if (known) known.push(scan);
      else this.#bySubject.set(subject, [scan]);
    }
  }

  /** @param acceptedAt milliseconds since the epoch, as the ack said */
  confirmed(eventId: string, acceptedAt: number): void {
    const scan = this.#scans.get(eventId);
    if (!scan) throw new Error(`${eventId} was acked and never sent`);
    if (scan.acceptedAt === undefined) this.#acked += 1;
    scan.acceptedAt = Math.min(scan.acceptedAt ?? acceptedAt, acceptedAt);
    this.#lastAt = Math.max(this.#lastAt, acceptedAt);
  }

  /**
   * To be called some time after the answer came: acks of scans that it claims to hold may arrive later than it does.
   *
   * @returns what it said that is not so. A mere count can hide one, where a ride too few is made up for by a later one
   */
  lies(answer: Answer): Lie[] {
    const sent = this.#bySubject.get(answer.subject) ?? [];
    const at = `${answer.subject} at ${answer.source}${answer.isStale ? ', stale' : ''}`;
    return typeof answer.holds === 'number'
      ? liesOfCount(at, answer.holds, sent, answer.asOf)
      : liesOfList(at, answer.holds, sent, answer.asOf);
  }
}

function liesOfCount(at: string, count: number, sent: readonly Sent[], asOf: number | null): Lie[] {
  const claimed = sent.filter((scan) => isClaimed(scan, asOf)).length;
  if (count < claimed) {
    return [{ kind: 'missing', text: `${at}: as of ${time(asOf)} with ${count} rides, of ${claimed} that were acked` }];
  }
  if (count > sent.length)
    return [{ kind: 'phantom', text: `${at}: ${count} rides, of ${sent.length} that were sent` }];
  return [];
}

function liesOfList(at: string, eventIds: readonly string[], sent: readonly Sent[], asOf: number | null): Lie[] {
  const lies: Lie[] = [];
  const found = new Set(eventIds);
  const known = new Set(sent.map(({ eventId }) => eventId));
  if (found.size < eventIds.length) lies.push({ kind: 'twice', text: `${at}: a ride is there twice` });
  for (const eventId of found) {
    if (!known.has(eventId)) lies.push({ kind: 'phantom', text: `${at}: ${eventId} was never sent` });
  }
  for (const scan of sent) {
    if (!isClaimed(scan, asOf) || found.has(scan.eventId)) continue;
    const text = `${at}: as of ${time(asOf)} without ${scan.eventId}, acked at ${time(scan.acceptedAt ?? null)}`;
    lies.push({ kind: 'missing', text });
  }
  return lies;
}

function isClaimed({ acceptedAt }: Sent, asOf: number | null): boolean {
  return acceptedAt !== undefined && asOf !== null && acceptedAt <= asOf;
}

function time(ms: number | null): string {
  return ms === null ? 'nothing' : new Date(ms).toISOString();
}
