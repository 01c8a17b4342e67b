import { scaleQuantize } from 'd3-scale';

/** How strongly a cell is coloured: 0 is nothing, 4 the most. */
export type Heat = 0 | 1 | 2 | 3 | 4;

/** @param max the largest value that is shown; @returns equal steps up to it, and 0 for nothing at all */
export function heatScale(max: number): (value: number) => Heat {
  const steps = scaleQuantize<Heat>([0, Math.max(max, 1)], [1, 2, 3, 4]);
  return (value) => (value <= 0 ? 0 : steps(value));
}
