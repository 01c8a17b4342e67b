import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../client/latencies.ts';
import type { Acks, Answer, Lie } from './acks.ts';

export interface ReadsReport {
  source: string;
  answers: number;
  stale: number;
  /** answers without asOf, at the start */
  untold: number;
  /** 503: a node was away and nothing was kept */
  refused: number;
  /** answers with any other status, which nothing excuses: how many, by status */
  others: Record<string, number>;
  /** milliseconds that asOf was behind when the answer came, median and largest of answers that were not stale */
  medianAgeMs: number;
  largestAgeMs: number;
  lies: Lie[];
}

/** An answer is judged so much later: acks of what it claims to hold may still be on their way. */
const JUDGED_AFTER_MS = 2_000;

/** Judges the answers of one source. */
export class Judge {
  readonly #acks: Acks;
  readonly #source: string;
  readonly #onLie: () => void;
  readonly #counts = { answers: 0, stale: 0, untold: 0, refused: 0 };
  readonly #others: Record<string, number> = {};
  readonly #agesMs: number[] = [];
  readonly #judging: Promise<void>[] = [];
  readonly #lies: Lie[] = [];

  /** @param onLie is called for each one, when it is found */
  constructor(acks: Acks, source: string, onLie: () => void) {
    this.#acks = acks;
    this.#source = source;
    this.#onLie = onLie;
  }

  refused(): void {
    this.#counts.refused += 1;
  }

  /** @param status neither 200 nor 503 */
  other(status: number): void {
    this.#others[status] = (this.#others[status] ?? 0) + 1;
  }

  answered(answer: Omit<Answer, 'source'>): void {
    this.#counts.answers += 1;
    if (answer.isStale) this.#counts.stale += 1;
    else if (answer.asOf === null) this.#counts.untold += 1;
    else this.#agesMs.push(Date.now() - answer.asOf);
    this.#judging.push(delay(JUDGED_AFTER_MS).then(() => this.#judge(answer)));
  }

  #judge(answer: Omit<Answer, 'source'>): void {
    for (const lie of this.#acks.lies({ ...answer, source: this.#source })) {
      this.#lies.push(lie);
      this.#onLie();
    }
  }

  /** Resolves when all is judged. */
  async report(): Promise<ReadsReport> {
    await Promise.all(this.#judging);
    const medianAgeMs = Math.round(median(this.#agesMs));
    // thousands of arguments are too many for Math.max
    const largestAgeMs = this.#agesMs.reduce((most, ageMs) => Math.max(most, ageMs), 0);
    return { source: this.#source, ...this.#counts, others: this.#others, medianAgeMs, largestAgeMs, lies: this.#lies };
  }
}
