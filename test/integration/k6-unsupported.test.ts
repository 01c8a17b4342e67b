import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runScript, script, startLoadtest } from './k6-loadtest-process.ts';

const server = createServer((incoming, response) => {
  if (incoming.url === '/moved') response.statusCode = 302;
  response.end('{}');
});
let url: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe('what the stand-in does not have ends the run with exit 2 and its name', () => {
  test.each([
    ['an executor', { scenario: `executor: 'constant-vus', vus: 1, duration: '1s'` }, 'executor'],
    [
      'an option of a scenario',
      {
        scenario: `executor: 'constant-arrival-rate', rate: 20, duration: '1s', preAllocatedVUs: 1, env: {}`,
      },
      'env',
    ],
    ['a threshold as an object', { thresholds: `checks: [{ threshold: 'rate==1', abortOnFail: true }]` }, 'thresholds'],
    ['a module', { imports: `import ws from 'k6/ws';` }, 'k6/ws'],
    ['a module from the web', { imports: `import x from 'https://jslib.k6.io/x.js';` }, 'jslib'],
    ['a module of Node', { imports: `import fs from 'node:fs';` }, 'node:fs'],
    ['a named import', { imports: `import { group } from 'k6';` }, '"group" of "k6"'],
    ['a method of http', { body: `http.get(__ENV.BASE_URL)` }, 'http.get'],
    [
      'a property of an answer',
      { body: `(await http.asyncRequest('GET', __ENV.BASE_URL)).timings` },
      'Response.timings',
    ],
    [
      'a parameter of a request',
      { body: `await http.asyncRequest('GET', __ENV.BASE_URL, null, { redirects: 0 })` },
      'redirects',
    ],
    ['a form body', { body: `await http.asyncRequest('POST', __ENV.BASE_URL, { a: 1 })` }, 'body'],
    ['a redirect', { body: `await http.asyncRequest('GET', __ENV.BASE_URL + '/moved')` }, 'redirect'],
    ['part of execution', { imports: `import exec from 'k6/execution';`, body: 'exec.test.abort()' }, 'exec.test'],
    ['a metric made late', { imports: `import { Trend } from 'k6/metrics';`, body: `new Trend('late')` }, 'late'],
    ['a request while loading', { imports: `await http.asyncRequest('GET', __ENV.BASE_URL);` }, 'being loaded'],
    ['a summary of its own', { more: 'export function handleSummary() { return {}; }' }, 'handleSummary'],
    ['another host', { body: `await http.asyncRequest('GET', 'http://192.0.2.1/')` }, '192.0.2.1'],
  ])('%s', async (_, parts, named) => {
    const { code, output, report } = await runScript(script(parts), url);
    expect(output).toContain(named);
    expect(output).toContain('is not part of the k6 stand-in');
    expect(code).toBe(2);
    expect(report).toBeUndefined();
  });

  test('load on another host, by --url', async () => {
    const { code, output } = await (await startLoadtest(['steady', '--url', 'http://example.com'])).end();
    expect(output).toContain('example.com (loopback only)');
    expect(code).toBe(2);
  });
});
