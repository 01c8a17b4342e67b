import { expect, test } from 'vitest';
import { createMetrics } from '../../src/platform/metrics.ts';
import { endpointStats } from '../../src/rides/statistics.ts';

test('operation 8 tells mean and max in whole milliseconds, of the SkiDataAPI routes alone', () => {
  const metrics = createMetrics('rides');
  metrics.recordRequest('GET', '/resorts/:resortID/seasons', 200, 2.4);
  metrics.recordRequest('GET', '/resorts/:resortID/seasons', 404, 7.8);
  metrics.recordRequest('GET', '/resorts', 200, 0.2);
  metrics.recordRequest('POST', '/skiers/:resortID/seasons/:seasonID/days/:dayID/skiers/:skierID', 201, 3);
  metrics.recordRequest('GET', '/v1/resorts', 200, 900);
  metrics.recordRequest('GET', '/resorts/:resortId', 200, 900); // a page
  metrics.recordRequest('GET', '/metrics', 200, 900);
  metrics.recordRequest('GET', '/*', 404, 900);
  expect(endpointStats(metrics.endpoints())).toEqual([
    { URL: '/resorts', operation: 'GET', mean: 0, max: 0 },
    { URL: '/resorts/{resortID}/seasons', operation: 'GET', mean: 5, max: 8 },
    { URL: '/skiers/{resortID}/seasons/{seasonID}/days/{dayID}/skiers/{skierID}', operation: 'POST', mean: 3, max: 3 },
  ]);
});
