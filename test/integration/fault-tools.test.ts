import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canCompile } from '../../loadtest/faults/tools/compile.ts';
import { type FaultProxy, startFaultProxy } from '../../loadtest/faults/tools/fault-proxy.ts';
import { assertTakesWrites, readWrongTimes, untilMoreStored } from '../../loadtest/faults/tools/node-books.ts';
import { processClock } from '../../loadtest/faults/tools/set-clock.ts';
import { createSlowDisk } from '../../loadtest/faults/tools/slow-disk.ts';
import { prepareNodes } from '../../src/cli/prepare-nodes.ts';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'liftline-fault-tools-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the faulty proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  beforeEach(async () => {
    server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    proxy = await startFaultProxy(`tcp://127.0.0.1:${address.port}`);
  });
  afterEach(async () => {
    await proxy.close();
    server.close();
  });

  /** Speaks to the echo behind the proxy. */
  function speak(): { say(text: string): void; heard(): string; end(): void; hasEnded(): boolean } {
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    let heard = '';
    let ended = false;
    socket.on('data', (bytes) => (heard += bytes.toString()));
    socket.on('error', () => {}).on('close', () => (ended = true));
    return {
      say: (text) => void socket.write(text),
      heard: () => heard,
      end: () => socket.destroy(),
      hasEnded: () => ended,
    };
  }

  test('is late by what it is told, each way, and keeps the order when that ends', async () => {
    const speaker = speak();
    speaker.say('0');
    await until('an echo', () => speaker.heard() === '0');
    proxy.slowDown(100);
    const saidAt = performance.now();
    speaker.say('1');
    await until('a late echo', () => speaker.heard() === '01');
    expect(performance.now() - saidAt).toBeGreaterThanOrEqual(195); // timers may be a millisecond early
    speaker.say('2');
    proxy.slowDown(0);
    speaker.say('3');
    await until('all echoes', () => speaker.heard().length === 4);
    expect(speaker.heard()).toBe('0123');
    speaker.end();
  });

  test('swallows everything while it is silent, passes new connections after, and resets the old ones', async () => {
    const before = speak();
    before.say('a');
    await until('an echo', () => before.heard() === 'a');
    proxy.goSilent();
    before.say('b');
    const during = speak();
    during.say('c');
    await until('a connection', () => proxy.connections() === 2);
    await proxy.open();
    const after = speak();
    after.say('d');
    await until('an echo', () => after.heard() === 'd');
    expect([before.heard(), during.heard()]).toEqual(['a', '']);
    await proxy.close();
    await until('resets', () => before.hasEnded() && during.hasEnded() && after.hasEnded());
  });
});

/** @returns milliseconds that a sync takes in a Node process on that disk */
async function syncMs(env: Record<string, string>, call: 'fsync' | 'fdatasync'): Promise<number> {
  const program = `const fs = require('node:fs'); const file = fs.openSync(${JSON.stringify(path.join(folder, 'data'))}, 'w');
    fs.writeSync(file, 'x'); const at = performance.now(); fs.${call}Sync(file); console.log(performance.now() - at);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', program], { env });
  return Number(stdout);
}

describe.skipIf(canCompile() !== true)('the slow disk', () => {
  test('makes fsync and fdatasync wait for as long as it is told to, and for nothing else', async () => {
    const disk = await createSlowDisk(folder);
    await disk.slowDown(700);
    expect(await syncMs(disk.env, 'fsync')).toBeGreaterThanOrEqual(700);
    expect(await syncMs(disk.env, 'fdatasync')).toBeGreaterThanOrEqual(700);
    await disk.recover();
    // the control: what made it slow was the wait
    expect(Math.min(await syncMs(disk.env, 'fdatasync'), await syncMs(disk.env, 'fdatasync'))).toBeLessThan(700);
  });
});

/** @returns how far a clock is from ours, rounded so far that a busy machine makes no difference */
function shiftOf(nowMs: unknown): number {
  return Math.round((Number(nowMs) - Date.now()) / 20_000) * 20_000 || 0; // no minus zero
}

describe('a process clock', () => {
  test('is set while the process runs: Date is shifted, timers and the monotonic clock are not', async () => {
    const clock = processClock(folder, 'told');
    const program = `process.stdin.on('data', () => console.log(JSON.stringify(
      [Date.now(), new Date().getTime(), Date.parse(Date()), new Date(5).getTime(), performance.now(), new Date() instanceof Date])));
      process.stdin.on('end', () => process.exit()); console.log('[]');`;
    const env = { ...clock.env, NODE_NO_WARNINGS: '1' };
    const child = spawn(process.execPath, ['--eval', program], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    let answers: unknown[][] = [];
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      answers = text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown[]);
    });
    const ask = async () => {
      const count = answers.length;
      child.stdin.write('?');
      return until('an answer', () => answers[count]);
    };
    await until('it runs', () => answers.length === 1);
    const first = await ask();
    expect(shiftOf(first[0])).toBe(0);
    for (const shiftMs of [100_000, -100_000, 0]) {
      await clock.set({ signal: (signal) => void child.kill(signal) }, shiftMs);
      const [now, made, said, given, monotonic, isDate] = await ask();
      expect(shiftOf(now)).toBe(shiftMs);
      expect(Math.abs(Number(made) - Number(now))).toBeLessThan(1_000);
      expect(Math.abs(Number(said) - Number(now))).toBeLessThan(2_000);
      expect(given).toBe(5);
      expect(Number(monotonic) - Number(first[4])).toBeLessThan(60_000);
      expect(isDate).toBe(true);
    }
    child.stdin.end();
    await once(child, 'exit');
  });
});

describe('the books of a node', () => {
  let database: TestDatabase;
  let pool: Pool;
  beforeEach(async () => {
    database = await freshDatabase();
    const nodes = [{ name: 'node-1', url: database.url }];
    await prepareNodes(sampleSnapshot({ shardCount: 8, laneCount: 2, nodes, devices: [] }));
    pool = new Pool({ connectionString: database.url, max: 1 });
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  async function addJob(acceptedSecondsAgo: number): Promise<void> {
    await pool.query(
      `INSERT INTO ledger (batch_id, job_id, accepted_at, lane, jobs, scans, persisted, duplicate, dead, shards)
       VALUES (gen_random_uuid(), '1', clock_timestamp() - make_interval(secs => $1), 0, 1, 7, 7, 0, 0, '{0}')`,
      [acceptedSecondsAgo],
    );
  }

  test('a job accepted in the future or long ago is found, one accepted just now is not', async () => {
    await addJob(0);
    await addJob(2);
    expect(await readWrongTimes(database.url, 60)).toEqual({ ahead: 0, longBefore: 0 });
    await addJob(-90);
    expect(await readWrongTimes(database.url, 60)).toEqual({ ahead: 1, longBefore: 0 });
    await addJob(90);
    expect(await readWrongTimes(database.url, 60)).toEqual({ ahead: 1, longBefore: 1 });
  });

  test('a node that takes writes is told from one that does not, and its new scans are waited for', async () => {
    await assertTakesWrites(database.url);
    let isThere = false;
    const waiting = untilMoreStored({ name: 'node-1', url: database.url }, 7).then(() => (isThere = true));
    await until('new scans are seen', async () => {
      await addJob(0);
      return isThere;
    });
    await waiting;
    const name = new URL(database.url).pathname.slice(1);
    await pool.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await expect(assertTakesWrites(database.url)).rejects.toThrow(/read-only/);
  });
});
