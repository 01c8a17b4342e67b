import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Cruise {
  summary: { error: number; totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] };
}

/** Runs the check that `npm run lint` runs, on the sources below a folder. */
function cruise(folder: string, ...sources: string[]): Cruise['summary'] {
  const run = spawnSync(
    process.execPath,
    [
      path.join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      path.join(ROOT, '.dependency-cruiser.cjs'),
      '--output-type',
      'json',
      ...sources,
    ],
    { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (!run.stdout) throw new Error(run.stderr);
  return (JSON.parse(run.stdout) as Cruise).summary;
}

describe('the direction of imports', () => {
  test('holds in every room', () => {
    const summary = cruise(ROOT, 'src', 'workers');
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
    expect(summary.totalCruised).toBeGreaterThan(150);
  });

  test.each([
    ['domain', "import '../queue/room.ts';", 'domain-imports-only-below-itself'],
    ['domain', "import 'node:fs';", 'domain-is-pure'],
    ['edge', "import type { Room } from '../shards/room.ts'; export type R = Room;", 'edge-imports-only-below-itself'],
    ['rides', "import '../queue/room.ts';", 'rides-imports-only-below-itself'],
    ['shards', "import '../ops/room.ts';", 'shards-imports-only-below-itself'],
    ['platform', "import '../directory/room.ts';", 'platform-imports-only-below-itself'],
  ])('an import that %s may not have is found: %s', (room, source, rule) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'liftline-house-'));
    cpSync(path.join(ROOT, 'tsconfig.json'), path.join(folder, 'tsconfig.json'));
    for (const name of ['domain', 'platform', 'directory', 'queue', 'shards', 'edge', 'rides', 'ops']) {
      mkdirSync(path.join(folder, 'src', name), { recursive: true });
      writeFileSync(path.join(folder, 'src', name, 'room.ts'), 'export type Room = string;\n');
    }
    writeFileSync(path.join(folder, 'src', room, 'stray.ts'), `${source}\n`);
    const { violations } = cruise(folder, 'src');
    rmSync(folder, { recursive: true });
    expect(violations.map((violation) => violation.rule.name)).toContain(rule);
  });
});
