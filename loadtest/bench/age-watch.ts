import { setTimeout as delay } from 'node:timers/promises';
import { HttpConnection } from '../client/http-connection.ts';

/** How old an answer may be that is not marked stale: milliseconds since a ride that it lacks was seen to be persisted. */
const MAX_AGE_MS = 1_000;
const POLL_MS = 20;
const GIVE_UP_MS = 30_000;
const PERSISTED = '"status":"persisted"';

/** What was found. */
export interface AgeFindings {
  /** rides that were seen to be persisted */
  persisted: number;
  /** answers that had to hold such a ride, each counted once a ride */
  checked: number;
  /** answers without it, although nothing marked them as stale */
  tooOld: number;
  markedStale: number;
}

export interface AckedRide {
  skierId: number;
  eventId: string;
  receipt: string;
}

/**
 * Follows rides until their receipts say that they are persisted. From a second later on every answer that is judged must hold them;
 * time is this process's own.
 */
export class AgeWatch {
  readonly findings: AgeFindings = { persisted: 0, checked: 0, tooOld: 0, markedStale: 0 };
  readonly #asked: string;
  readonly #credential: string;
  readonly #due = new Map<number, { eventId: string; fromMs: number }[]>();
  readonly #following = new Set<Promise<void>>();

  /** @param o.ridesUrl is asked for what became of a receipt, with the key of the device that sent it */
  constructor(o: { ridesUrl: string; deviceKey: string }) {
    this.#asked = o.ridesUrl;
    this.#credential = `Bearer ${o.deviceKey}`;
  }

  /** Follows a ride. @param onDue is called once every answer must hold it */
  follow(ride: AckedRide, onDue: () => void): void {
    const following = this.#follow(ride, onDue).finally(() => this.#following.delete(following));
    this.#following.add(following);
  }

  /**
   * @param sentAt when the answer was asked for, by `performance.now`
   * @param body a history that is long enough to hold every ride of the skier
   */
  judge(skierId: number, sentAt: number, body: string): void {
    for (const { eventId, fromMs } of this.#due.get(skierId) ?? []) {
      if (sentAt < fromMs) continue;
      this.findings.checked += 1;
      if (body.includes(eventId)) continue;
      if (body.includes('"stale":true')) this.findings.markedStale += 1;
      else this.findings.tooOld += 1;
    }
  }

  /** Resolves when every ride that was followed is due. @throws Error for one that was not persisted within 30 s */
  async settled(): Promise<void> {
    await Promise.all(this.#following);
  }

  async #follow({ skierId, eventId, receipt }: AckedRide, onDue: () => void): Promise<void> {
    const connection = new HttpConnection(this.#asked);
    const giveUpAt = performance.now() + GIVE_UP_MS;
    const isPersisted = async () => {
      const { body } = await connection.request('GET', `/v1/receipts/${receipt}`, {
        headers: { authorization: this.#credential },
      });
      return body.includes(PERSISTED);
    };
    while (!(await isPersisted())) {
      if (performance.now() > giveUpAt) throw new Error(`${eventId} was not persisted within ${GIVE_UP_MS} ms`);
      await delay(POLL_MS);
    }
    connection.close();
    this.findings.persisted += 1;
    const due = { eventId, fromMs: performance.now() + MAX_AGE_MS };
    this.#due.set(skierId, [...(this.#due.get(skierId) ?? []), due]);
    await delay(MAX_AGE_MS + 1);
    onDue();
  }
}
