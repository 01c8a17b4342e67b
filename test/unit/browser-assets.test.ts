import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { browserAssets } from '../../src/platform/browser-assets.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-assets-'));
  await writeFile(path.join(folder, 'a.css'), 'a { color: red }');
  await writeFile(path.join(folder, 'b.css'), 'b { color: blue }');
  await writeFile(path.join(folder, 'start.ts'), 'const n: number = 1;\nstart<string>(n as unknown);\n');
});
afterAll(() => rm(folder, { recursive: true }));

const file = (name: string) => pathToFileURL(path.join(folder, name));
const assets = () => browserAssets({ 'page.css': [file('a.css'), file('b.css')], 'start.js': [file('start.ts')] });

test('parts are joined, and served for ever under a name that changes with them', async () => {
  const first = assets();
  const { 'page.css': name = '' } = await first.names();
  expect(name).toMatch(/^page\.[0-9a-f]{10}\.css$/);
  const reply = await first.routes.request(`/${name}`);
  expect(await reply.text()).toBe('a { color: red }\nb { color: blue }');
  expect(reply.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(reply.headers.get('cache-control')).toContain('immutable');

  await writeFile(path.join(folder, 'b.css'), 'b { color: green }');
  const changed = (await assets().names())['page.css'];
  expect(changed).not.toBe(name);
});

test('the name of an older page gets what there is now, and is not kept', async () => {
  const reply = await assets().routes.request('/page.0123456789.css');
  expect(reply.status).toBe(200);
  expect(reply.headers.get('cache-control')).toBe('no-cache');
  expect((await assets().routes.request('/page.css')).status).toBe(200);
});

test('a script is TypeScript without its types, on the same lines', async () => {
  const made = assets();
  const reply = await made.routes.request(`/${(await made.names())['start.js']}`);
  expect(reply.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  const lines = (await reply.text()).split('\n').map((line) => line.replaceAll(/ +/g, ' '));
  expect(lines.slice(0, 2)).toEqual(['const n = 1;', 'start (n );']);
});

test('parts of a script that import from each other become one module, on the same lines', async () => {
  await writeFile(path.join(folder, 'sum.ts'), 'export interface Sum { of: number }\nexport const sum = 3;\n');
  const user = "import {\n  type Sum,\n  sum,\n} from './sum.ts';\nconst two: Sum = { of: sum };\n";
  await writeFile(path.join(folder, 'user.ts'), user);
  const made = browserAssets({ 'user.js': [file('sum.ts'), file('user.ts')] });
  const text = await (await made.routes.request('/user.js')).text();
  const lines = text.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());
  expect(lines).toEqual(['', 'export const sum = 3;', '', '', '', '', '', 'const two = { of: sum };', '']);
});

test.each(['/other.css', '/..%2F..%2Fpackage.json', '/__proto__', '/page'])('%s is not there', async (name) => {
  expect((await assets().routes.request(name)).status).toBe(404);
});
