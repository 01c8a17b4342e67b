/** How one kind of skier spends a day. Minutes count from the resort's opening. */
export interface Habit {
  name: string;
  /** of all skiers, adding up to 1 */
  share: number;
  /** when they come: mean and spread */
  arrives: { mean: number; spread: number };
  /** how long they stay, breaks included */
  stays: { mean: number; spread: number };
  /** minutes at the table; 0 skips it */
  lunchMinutes: number;
  /** a lap: queue, ride up, ski down */
  lapMinutes: number;
  /** 0 to 1: how likely the next lap is on the same lift */
  loyalty: number;
  /** whether the higher lifts draw them */
  climbs: boolean;
}

/** Lunch is an hour of the clock, not of the opening: noon and a half, spread by this many minutes. */
export const LUNCH = { clockMinute: 12 * 60 + 30, spread: 25 };

/** There before the rush, and up where it is high. */
export const FIRST_CHAIR: Habit = {
  name: 'first chair',
  share: 0.35,
  arrives: { mean: 15, spread: 10 },
  stays: { mean: 330, spread: 50 },
  lunchMinutes: 40,
  lapMinutes: 16,
  loyalty: 0.3,
  climbs: true,
};

/**
 * Together they make the shape of a day at the gates: a rush in the first hour, a dip at lunch, a thinning afternoon.
 * Guessed from lift operators' published day curves; only the shape matters here.
 */
export const HABITS: readonly Habit[] = [
  FIRST_CHAIR,
  {
    name: 'all day',
    share: 0.3,
    arrives: { mean: 40, spread: 20 },
    stays: { mean: 400, spread: 40 },
    lunchMinutes: 60,
    lapMinutes: 20,
    loyalty: 0.4,
    climbs: true,
  },
  {
    name: 'family',
    share: 0.25,
    arrives: { mean: 75, spread: 30 },
    stays: { mean: 330, spread: 45 },
    lunchMinutes: 75,
    lapMinutes: 28,
    loyalty: 0.7,
    climbs: false,
  },
  {
    name: 'afternoon pass',
    share: 0.1,
    arrives: { mean: 270, spread: 25 },
    stays: { mean: 180, spread: 30 },
    lunchMinutes: 0,
    lapMinutes: 17,
    loyalty: 0.3,
    climbs: true,
  },
];
