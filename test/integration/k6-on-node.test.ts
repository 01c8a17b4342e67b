import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runScript, script } from './k6-loadtest-process.ts';

let requests = 0;
let connections = 0;
let answerAfterMs = 0;
const server = createServer((incoming, response) => {
  requests += 1;
  incoming.resume();
  if (incoming.url === '/broken') response.statusCode = 500;
  response.setHeader('retry-after', '7');
  setTimeout(() => response.end('{"n":1}'), answerAfterMs);
});
server.on('connection', () => (connections += 1));
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests = 0;
  connections = 0;
  answerAfterMs = 0;
});
afterAll(() => void server.close());

describe('arrival rate', () => {
  test('constant: as many iterations as rate and duration say', async () => {
    const { code, report } = await runScript(
      script({ scenario: `executor: 'constant-arrival-rate', rate: 150, duration: '3s', preAllocatedVUs: 450` }),
      url,
    );
    expect(code).toBe(0);
    expect(requests).toBe(450);
    expect(report?.scenarios[0]).toMatchObject({
      planned: 450,
      started: 450,
      finished: 450,
      dropped: 0,
      interrupted: 0,
    });
    const [first = 0, second = 0, third = 0] = report?.timeline.map(({ offered }) => offered) ?? [];
    // never ahead of the plan; behind it by less than a second, even where others keep this machine busy
    expect(first).toBeLessThanOrEqual(151);
    expect(first + second).toBeLessThanOrEqual(301);
    expect(first + second + third).toBeGreaterThan(300);
  });

  test('connections are kept: there are no more of them than users', async () => {
    const { report } = await runScript(
      script({ scenario: `executor: 'constant-arrival-rate', rate: 50, duration: '2s', preAllocatedVUs: 5` }),
      url,
    );
    expect(requests).toBe(report?.scenarios[0]?.finished);
    expect(requests).toBeGreaterThan(5);
    expect(connections).toBeLessThanOrEqual(5);
  });

  test('ramping: the area under the stages', async () => {
    const stages = `[{ target: 100, duration: '1s' }, { target: 100, duration: '1s' }]`;
    const { report } = await runScript(
      script({ scenario: `executor: 'ramping-arrival-rate', startRate: 0, stages: ${stages}, preAllocatedVUs: 150` }),
      url,
    );
    expect(requests).toBe(150);
    expect(report?.timeline[0]?.offered).toBeLessThan(report?.timeline[1]?.offered ?? 0);
  });

  test('a slow service does not slow the arrivals; without a free user they are dropped, counted and can fail the run', async () => {
    answerAfterMs = 500;
    const { code, report } = await runScript(
      script({
        scenario: `executor: 'constant-arrival-rate', rate: 40, duration: '2s', preAllocatedVUs: 1, maxVUs: 4`,
        thresholds: `dropped_iterations: ['count==0']`,
      }),
      url,
    );
    expect(code).toBe(1);
    const outcome = report?.scenarios[0];
    expect(outcome?.usersAtPeak).toBe(4);
    expect(outcome?.started).toBe(requests);
    expect(outcome?.started).toBeLessThanOrEqual(20);
    expect(outcome?.dropped).toBe(80 - requests);
    expect(report?.thresholds).toMatchObject([{ value: outcome?.dropped, ok: false }]);
  });

  test('what still runs when gracefulStop is over is interrupted', async () => {
    answerAfterMs = 20_000;
    const { report } = await runScript(
      script({
        scenario: `executor: 'constant-arrival-rate', rate: 2, duration: '1s', preAllocatedVUs: 9, gracefulStop: '100ms'`,
      }),
      url,
    );
    expect(report?.scenarios[0]).toMatchObject({ started: 2, finished: 0, interrupted: 2 });
  });
});

test('a kept connection that the server has just closed is no failure; one that breaks is, by its name', async () => {
  let served = 0;
  const closing = createServer((incoming, response) => {
    served += 1;
    if (incoming.url === '/breaks') incoming.socket.destroy();
    // as if its keep-alive were over just before the next request came
    else response.end(() => setTimeout(() => incoming.socket.resetAndDestroy(), 20));
  });
  await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
  const { port } = closing.address() as AddressInfo;
  const { report } = await runScript(
    script({
      scenario: `executor: 'constant-arrival-rate', rate: 48, duration: '2s', preAllocatedVUs: 96`,
      thresholds: `http_req_failed: ['rate==0']`,
      body: `await http.asyncRequest('GET', __ENV.BASE_URL);`,
    }),
    `http://127.0.0.1:${port}`,
  );
  expect(report?.failures).toEqual({});
  expect(served).toBeGreaterThanOrEqual(96);
  const broken = await runScript(
    script({ body: `await http.asyncRequest('GET', __ENV.BASE_URL + '/breaks', null, { tags: { name: 'it' } });` }),
    `http://127.0.0.1:${port}`,
  );
  expect(broken.report?.failures).toEqual({ 'it: socket hang up': 20 });
  closing.close();
});

describe('thresholds', () => {
  test('all met: exit 0, and everything that was written says whose figures these are', async () => {
    const { code, output, report, chart } = await runScript(
      script({
        thresholds: `http_req_duration: ['p(95)<1000', 'max<9000'], checks: ['rate==1'], http_req_failed: ['rate==0']`,
      }),
      url,
    );
    expect(code).toBe(0);
    expect(report?.passed).toBe(true);
    expect(report?.thresholds).toHaveLength(4);
    for (const written of [output, report?.generator, chart]) expect(written).toContain('not from k6');
    expect(chart).toMatch(/^<svg[^>]*>[^]*<\/svg>\n$/);
  });

  test.each([
    ['a latency', `http_req_duration: ['p(95)<0.001']`, undefined],
    ['errors', `http_req_failed: ['rate<0.5']`, `await http.asyncRequest('GET', __ENV.BASE_URL + '/broken');`],
    ['a check', `checks: ['rate>0.9']`, `check(1, { 'is 2': (n) => n === 2 });`],
    [
      'a part by tag',
      `'http_reqs{op:b}': ['count==0']`,
      `await http.asyncRequest('GET', __ENV.BASE_URL, null, { tags: { op: 'b' } });`,
    ],
  ])('%s that crosses its threshold: exit 1', async (_, thresholds, body) => {
    const { code, output, report } = await runScript(script({ thresholds, ...(body && { body }) }), url);
    expect(code).toBe(1);
    expect(report?.passed).toBe(false);
    expect(output).toContain('✗');
  });

  test('an iteration that throws fails the run', async () => {
    const { code, output } = await runScript(script({ body: `throw new Error('broken script')` }), url);
    expect(code).toBe(1);
    expect(output).toContain('threw 20 times: Error: broken script');
  });

  test.each([
    ['no such metric', `unheard_of: ['count>0']`],
    ['no such aggregate', `http_reqs: ['p(95)<1']`],
    ['unreadable', `http_reqs: ['about 5']`],
  ])('%s: exit 2 before any load', async (_, thresholds) => {
    const { code } = await runScript(script({ thresholds }), url);
    expect(code).toBe(2);
    expect(requests).toBe(0);
  });
});

test('setup gives its data to iterations and teardown; custom metrics, tags and answers are as in k6', async () => {
  const { code, report } = await runScript(
    script({
      imports: `
        import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
        import exec from 'k6/execution';
        import { setTimeout } from 'k6/timers';
        const counter = new Counter('my_counter');
        const gauge = new Gauge('my_gauge');
        const rate = new Rate('my_rate');
        const trend = new Trend('my_trend', true);
        const numbers = new Set();
        export async function setup() { return { from: 'setup', status: (await http.asyncRequest('GET', __ENV.BASE_URL)).status }; }
        export function teardown(data) { counter.add(1000 * numbers.size, { at: data.from }); }`,
      scenario: `executor: 'constant-arrival-rate', exec: 'iterate', rate: 10, duration: '1s', preAllocatedVUs: 9`,
      thresholds: `
        my_counter: ['count==10010'], 'my_counter{at:setup}': ['count==10000'], my_gauge: ['value==9'],
        my_rate: ['rate==0.5'], my_trend: ['max==9', 'min==0', 'med==4.5', 'avg==4.5'], checks: ['rate==1']`,
      more: `export async function iterate(data) {
        await new Promise((resolve) => void setTimeout(resolve, 5));
        const n = exec.scenario.iterationInTest;
        numbers.add(n);
        const { error, status, headers, body } = await http.asyncRequest('POST', 'http://127.0.0.1:1/', '');
        const ok = await http.asyncRequest('GET', __ENV.BASE_URL);
        check({ error, status, ok }, {
          'no answer': (v) => v.status === 0 && v.error !== '',
          'json': (v) => v.ok.json().n === 1,
          'header': (v) => v.ok.headers['Retry-After'] === '7',
          'data': () => data.from === 'setup' && data.status === 200 && Object.isFrozen(data),
          'who': () => exec.vu.idInTest >= 1 && exec.scenario.name === 'main' && exec.scenario.progress <= 1,
        });
        counter.add(1); gauge.add(9); rate.add(n % 2 === 0); trend.add(n);
      }`,
    }),
    url,
  );
  expect(report?.scriptErrors).toEqual({});
  expect(report?.thresholds.filter(({ ok }) => !ok)).toEqual([]);
  expect(code).toBe(0);
});
