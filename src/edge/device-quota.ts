import { Problem } from '../domain/problem.ts';

export interface QuotaOptions {
  /** what a device may send for ever; from 1 */
  scansPerS: number;
  /** what it may send at once after a pause; a full batch at least */
  burstScans: number;
  /** a monotonic clock, milliseconds; this machine's unless given */
  nowMs?: () => number;
}

/** A device has sent more than it may. */
export class QuotaExceeded extends Problem {
  /** `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 has them */
  readonly headers: Readonly<Record<string, string>>;

  constructor(detail: string, o: { retryAfterS: number; policy: string; remaining: number }) {
    super('quota_exceeded', detail, { retryAfterS: o.retryAfterS });
    this.headers = {
      'ratelimit-policy': o.policy,
      ratelimit: `${POLICY_NAME};r=${o.remaining};t=${o.retryAfterS}`,
    };
  }
}

const POLICY_NAME = '"device-scans"';
/** Sums of fractions of a millisecond are not exact: nobody is refused for that. */
const ROUNDING_MS = 0.001;

/**
 * How many scans each device may send to this process: a bucket that holds `burstScans` and fills at `scansPerS`. Kept as
 * one number a device, the time at which its bucket is full again (GCRA): no timer, no promise, 0.1 µs a scan. A refused
 * request takes nothing, so a device that asks again too early is not kept out for longer.
 */
export class DeviceQuota {
  readonly #msPerScan: number;
  readonly #burstMs: number;
  readonly #policy: string;
  readonly #detail: string;
  readonly #nowMs: () => number;
  /** by device; as many as the directory has */
  readonly #fullAt = new Map<number, number>();

  constructor(o: QuotaOptions) {
    this.#msPerScan = 1_000 / o.scansPerS;
    this.#burstMs = o.burstScans * this.#msPerScan;
    this.#nowMs = o.nowMs ?? (() => performance.now());
    this.#policy = `${POLICY_NAME};q=${o.burstScans};w=${Math.ceil(o.burstScans / o.scansPerS)}`;
    this.#detail = `a device may send ${o.scansPerS} scans a second, and ${o.burstScans} at once`;
  }

  /**
   * Counts scans that a device sends.
   *
   * @throws QuotaExceeded, and counts none of them, when they are more than it may send now
   */
  take(deviceId: number, scans: number): void {
    const now = this.#nowMs();
    const fullAt = Math.max(this.#fullAt.get(deviceId) ?? 0, now);
    const next = fullAt + scans * this.#msPerScan;
    if (next - now > this.#burstMs + ROUNDING_MS) throw this.#exceeded(fullAt - now, next - now);
    this.#fullAt.set(deviceId, next);
  }

  /** As {@link take} of one scan, but counts nothing: before a body is read whose scans nobody knows yet. */
  check(deviceId: number): void {
    const usedMs = Math.max(0, (this.#fullAt.get(deviceId) ?? 0) - this.#nowMs());
    if (usedMs + this.#msPerScan > this.#burstMs + ROUNDING_MS) throw this.#exceeded(usedMs, usedMs + this.#msPerScan);
  }

  #exceeded(usedMs: number, wantedMs: number): QuotaExceeded {
    return new QuotaExceeded(this.#detail, {
      retryAfterS: Math.max(1, Math.ceil((wantedMs - this.#burstMs) / 1_000)),
      policy: this.#policy,
      remaining: Math.floor((this.#burstMs - usedMs + ROUNDING_MS) / this.#msPerScan),
    });
  }
}
