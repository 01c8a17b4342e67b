/** What the supervisor sees once a second. */
export interface PoolLook {
  /** on a clock that only goes forward */
  atMs: number;
  /** scans accepted and not yet stored, in lanes that can be stored now */
  backlogScans: number;
  /** of these, in jobs that no worker has taken yet */
  waitingScans: number;
  /** scans that this pool has stored, found stored or given up, ever */
  settled: number;
  /** workers that are ready */
  ready: number;
  /** lanes that wait for a node, as text, to be compared */
  held: string;
}

/** A run of looks is worth a measure from here on: reports are up to a second old. */
const MIN_RUN_MS = 3_000;
const MAX_RUN_MS = 10_000;
/** How much of a new measure counts: the last ten or so make the rate. */
const NEW_SHARE = 0.2;
/** The memory of what comes in: bursts show at once in the backlog, this is for the level. */
const INFLOW_MEMORY_MS = 5_000;

/**
 * Measures what one worker stores in a second, and what comes in, from a look a second.
 *
 * A worker's rate shows only while it has enough to do. So a look counts as busy when more had waited at the look before than
 * was stored since: the workers can't have run dry in between. While a lane waits for a node nothing is measured: what
 * workers don't store then is not for lack of workers.
 */
export class PoolMeter {
  #ratePerS: number;
  #isMeasured = false;
  #inflowPerS = 0;
  /** looks in a row, all of them busy, with the same workers */
  #run: PoolLook[] = [];
  #last: PoolLook | undefined;

  /** @param assumedRatePerS what one worker is taken to store until it was measured */
  constructor(assumedRatePerS: number) {
    this.#ratePerS = assumedRatePerS;
  }

  /** scans a second that one worker stores while it has enough to do */
  get ratePerS(): number {
    return this.#ratePerS;
  }

  /** false while the rate is what was assumed */
  get isMeasured(): boolean {
    return this.#isMeasured;
  }

  /** scans a second that come in, 0 or more */
  get inflowPerS(): number {
    return Math.max(0, this.#inflowPerS);
  }

  note(look: PoolLook): void {
    const last = this.#last;
    this.#last = look;
    if (!last || look.held !== '' || last.held !== '') {
      this.#run = look.held === '' ? [look] : [];
      return;
    }
    this.#noteInflow(last, look);
    const settled = look.settled - last.settled;
    const isBusy = look.waitingScans > 0 && last.waitingScans > settled;
    if (!isBusy || look.ready !== last.ready || look.ready === 0) {
      this.#run = [look];
      return;
    }
    this.#run.push(look);
    this.#measureRun(look);
  }

  /** The queue did not answer: what lies between two looks is not known. */
  forget(): void {
    this.#last = undefined;
    this.#run = [];
  }

  #noteInflow(last: PoolLook, look: PoolLook): void {
    const tookMs = look.atMs - last.atMs;
    const cameIn = look.settled - last.settled + look.backlogScans - last.backlogScans;
    const share = 1 - Math.exp(-tookMs / INFLOW_MEMORY_MS);
    this.#inflowPerS += share * ((cameIn / tookMs) * 1_000 - this.#inflowPerS);
  }

  #measureRun(look: PoolLook): void {
    while (this.#run[0] && look.atMs - this.#run[0].atMs > MAX_RUN_MS) this.#run.shift();
    const [first] = this.#run;
    if (!first || look.atMs - first.atMs < MIN_RUN_MS) return;
    const seconds = (look.atMs - first.atMs) / 1_000;
    const measured = (look.settled - first.settled) / (seconds * look.ready);
    if (measured <= 0) return;
    this.#ratePerS = this.#isMeasured ? this.#ratePerS + NEW_SHARE * (measured - this.#ratePerS) : measured;
    this.#isMeasured = true;
  }
}
