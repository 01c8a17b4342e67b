/** How much is measured. */
export interface BenchSize {
  /** repetitions of each comparison; the median counts */
  rounds: number;
  /** seconds of one turn at full speed */
  peakS: number;
  warmUpS: number;
  /** scans of one persisting turn */
  persistScans: number;
  /** scans of the memory run */
  memoryScans: number;
  /** seconds of the freshness run */
  freshnessS: number;
  /** listeners of the live run, and seconds of each of its phases */
  liveListeners: number;
  liveS: number;
  /** rides of each skier before the read mix, seconds of each of its runs, and reads and writes a second of the paced ones */
  mixRidesEach: number;
  mixS: number;
  mixPerS: number;
}

export const FULL: BenchSize = {
  rounds: 5,
  peakS: 8,
  warmUpS: 3,
  persistScans: 200_000,
  memoryScans: 1_000_000,
  freshnessS: 30,
  liveListeners: 5_000,
  liveS: 20,
  mixRidesEach: 10,
  mixS: 30,
  mixPerS: 600,
};

/** For CI: proves that it runs; its figures are worth little. */
export const QUICK: BenchSize = {
  rounds: 3,
  peakS: 2,
  warmUpS: 1,
  persistScans: 20_000,
  memoryScans: 50_000,
  freshnessS: 5,
  liveListeners: 500,
  liveS: 3,
  mixRidesEach: 2,
  mixS: 6,
  mixPerS: 300,
};
