import { median } from '../client/latencies.ts';

/** One row of the table. */
export interface Figure {
  name: string;
  /** as the table shows it */
  goal: string;
  measured: string;
  isMet: boolean;
  /** everything that was measured for it, for the JSON */
  detail: object;
}

/** @param ratios one a round, each of two measurements that followed each other */
export function ratioFigure(name: string, goal: number, ratios: readonly number[], detail: object): Figure {
  const value = median(ratios);
  return {
    name,
    goal: `${goal} or more`,
    measured: value.toFixed(2),
    isMet: value >= goal,
    detail: { ratios, ...detail },
  };
}

export function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`;
}
