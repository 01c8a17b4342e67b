const UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;

/**
 * @param value as k6 writes durations: 500ms, 30s, 1m30s; a bare number is milliseconds
 * @returns milliseconds
 * @throws RangeError for anything else
 */
export function parseDuration(value: string | number): number {
  if (typeof value === 'number' || /^\d+$/.test(value)) return Number(value);
  if (!WHOLE.test(value)) throw new RangeError(`"${value}" is no duration: write 500ms, 30s or 1m30s`);
  let ms = 0;
  for (const [, amount, unit] of value.matchAll(PART)) ms += Number(amount) * (UNITS_MS[unit ?? ''] ?? 0);
  return ms;
}
