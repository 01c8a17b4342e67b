import type { BenchScan } from '../bench/scans.ts';

/** What devices can tell of a load so far. */
export interface Progress {
  /** distinct scans that were sent */
  attempted: number;
  /** distinct scans that were confirmed at least once */
  acked: number;
  /** confirmations, those of repeated scans included */
  confirmations: number;
  /** scans that the edge refused for good: none may be, all are well-formed */
  rejected: number;
  /** answers that leave a scan's fate unknown, and requests without an answer; scans by reason */
  unconfirmed: Record<string, number>;
}

/**
 * Everything that tells a scan: what was posted, and the device of its key. A stored row has the same text only when it is
 * that very scan, unchanged.
 */
export function scanKey(scan: Omit<BenchScan, 'scannedAt'> & { scannedAtMs: number; deviceId: number }): string {
  const { eventId, skierId, scannedAtMs, resortId, liftId, deviceId } = scan;
  return `${eventId} skier ${skierId} at ${scannedAtMs} resort ${resortId} lift ${liftId} device ${deviceId}`;
}

/** What was attempted and what was acked, noted as replies arrive. Once acked, always acked. */
export class Notes {
  /** whether it was acked, by {@link scanKey} */
  readonly scans = new Map<string, boolean>();
  readonly #deviceId: number;
  readonly #unconfirmed = new Map<string, number>();
  #acked = 0;
  #confirmations = 0;
  #rejected = 0;

  /** @param deviceId of the key that the load posts with */
  constructor(deviceId: number) {
    this.#deviceId = deviceId;
  }

  attempted(scans: readonly BenchScan[]): void {
    for (const scan of scans) {
      const key = this.#key(scan);
      if (!this.scans.has(key)) this.scans.set(key, false);
    }
  }

  acked(scan: BenchScan): void {
    const key = this.#key(scan);
    this.#confirmations += 1;
    if (this.scans.get(key) !== false) return;
    this.scans.set(key, true);
    this.#acked += 1;
  }

  unconfirmed(reason: string, scans: number): void {
    this.#unconfirmed.set(reason, (this.#unconfirmed.get(reason) ?? 0) + scans);
  }

  rejected(reason: string): void {
    this.#rejected += 1;
    this.unconfirmed(`rejected: ${reason}`, 1);
  }

  progress(): Progress {
    return {
      attempted: this.scans.size,
      acked: this.#acked,
      confirmations: this.#confirmations,
      rejected: this.#rejected,
      unconfirmed: Object.fromEntries(this.#unconfirmed),
    };
  }

  #key(scan: BenchScan): string {
    return scanKey({ ...scan, scannedAtMs: Date.parse(scan.scannedAt), deviceId: this.#deviceId });
  }
}
