import { expect, test } from 'vitest';
import { simulationView } from '../../src/cli/simulation-view.ts';

const resort = { resortId: 1, name: 'Test', timeZone: 'UTC', opensAt: '08:00', closesAt: '16:00', lifts: [] };

test.each([
  ['60 s', 480, 60],
  ['8 min', 60, 480],
])('the first line of a day says that it takes %s', (said, speed, durationS) => {
  let written = '';
  const view = simulationView({ write: (text) => (written += text) });
  view.onPlanned({ resort, date: '2026-01-15', skiers: 200, rides: 2_800, speed, durationS });
  expect(written).toBe(`Test on 2026-01-15: 200 skiers, 2800 rides, ${speed} times as fast as life; takes ${said}\n`);
});
