import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, type ProcessName } from '../../src/platform/config.ts';
import { composeFile, DEPLOY, deployFile, helpOf, type Service, settingNames } from './deploy-files.ts';

const { services, volumes } = composeFile();
/** `tools` has no command of its own. */
const OURS = Object.entries(services).filter(([name, { build }]) => build !== undefined && name !== 'tools');
const PROCESSES = ['edge', 'rides', 'ops', 'workers'];
const running = OURS.filter(([, { command }]) => PROCESSES.includes(command[0] ?? ''));

/** As the image and an operator who followed the head of the file would have it. */
function environmentOf({ environment }: Service): Record<string, string> {
  const given = Object.entries(environment ?? {}).map(([name, value]) => [
    name,
    value.replaceAll(/\$\{\w+:\?[^}]*\}/g, 'x'.repeat(32)),
  ]);
  return { HOST: '0.0.0.0', PORT: '8080', ...(Object.fromEntries(given) as Record<string, string>) };
}

describe('compose.yaml', () => {
  test('has two edges, rides, ops, a pool of workers, init, a gateway, Redis and Postgres', () => {
    expect(running.map(([name]) => name)).toEqual(['edge-1', 'edge-2', 'rides', 'ops', 'workers']);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(['gateway', 'init', 'redis', 'postgres', 'tools']));
  });

  test.each(running)('%s has the settings that it needs, and none that there is not', (_name, service) => {
    const environment = environmentOf(service);
    const known = settingNames(...PROCESSES, 'worker');
    expect(Object.keys(environment).filter((key) => !known.has(key))).toEqual([]);
    const config = loadConfig(environment, service.command[0] as ProcessName);
    const graceS = Number(/^(\d+)s$/.exec(service.stop_grace_period ?? '')?.[1]);
    expect(graceS * 1_000).toBeGreaterThan(config.drainMs + config.leaveMs + 1_000);
  });

  test('each command is one that the program has, with its options', async () => {
    const commands = new Map(OURS.map(([, { command }]) => [command[0] ?? '', command]));
    const known = await helpOf();
    for (const [name, command] of commands) {
      expect(known).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
      const flags = command.slice(1).filter((arg) => arg.startsWith('--'));
      const help = flags.length > 0 ? await helpOf(name) : '';
      for (const flag of flags) expect(help).toContain(flag);
    }
  }, 120_000);

  test('builds from the Dockerfile that is there, and mounts files that are there', () => {
    for (const [, { build }] of OURS) {
      expect(path.resolve(DEPLOY, build?.context ?? '')).toBe(path.dirname(DEPLOY));
      expect(existsSync(path.resolve(DEPLOY, build?.context ?? '', build?.dockerfile ?? ''))).toBe(true);
    }
    const mounts = Object.values(services).flatMap((service) => service.volumes ?? []);
    const sources = mounts.map((mount) => mount.split(':')[0] ?? '');
    const missing = sources.filter(
      (from) => !(from.startsWith('./') ? existsSync(path.join(DEPLOY, from)) : from in volumes),
    );
    expect(missing).toEqual([]);
  });

  test('waits for what is there', () => {
    for (const { depends_on } of Object.values(services)) {
      for (const name of Object.keys(depends_on ?? {})) expect(Object.keys(services)).toContain(name);
    }
  });

  test('runs Redis so that an ack survives a power cut, and nothing is evicted', () => {
    const command = services.redis?.command.join(' ');
    for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'])
      expect(command).toContain(setting);
  });

  test('keeps answers in another Redis, which makes room by itself', () => {
    const { hostname } = new URL(services.rides?.environment?.CACHE_URL ?? '');
    expect(hostname).not.toBe(new URL(services.rides?.environment?.QUEUE_URL ?? '').hostname);
    const command = services[hostname]?.command.join(' ');
    expect(command).toMatch(/--maxmemory \d+mb --maxmemory-policy allkeys-lru/);
  });

  test('every database that is named is made', () => {
    const text = [
      ...Object.values(services).flatMap(({ command }) => command),
      ...Object.values(services.ops?.environment ?? {}),
    ];
    const names = text.flatMap((part) => /@postgres:5432\/(\w+)$/.exec(part)?.[1] ?? []);
    expect(new Set(names)).toEqual(new Set(['directory', 'node_a', 'node_b']));
    for (const name of names) expect(deployFile('compose-databases.sql')).toContain(`create database ${name};`);
  });
});

describe('the gateway of compose.yaml', () => {
  const edited = spawnSync('sed', ['-f', path.join(DEPLOY, 'compose-gateway.sed'), path.join(DEPLOY, 'nginx.conf')], {
    encoding: 'utf8',
  }).stdout;

  test('leads to services that are there, and to nothing on its own host', () => {
    const servers = [...edited.matchAll(/^\s*server ([\w.-]+):(\d+)\b/gm)].map(([, host, port]) => `${host}:${port}`);
    expect(servers).toEqual(['edge-1:8080', 'edge-2:8080', 'rides:8080', 'ops:8080']);
    for (const server of servers) expect(Object.keys(services)).toContain(server.split(':')[0]);
  });

  test('asks for no certificates', () => {
    expect(edited).not.toMatch(/^\s*(ssl_|listen 443)/m);
    expect(edited).toMatch(/^\s*listen 80\b/m);
  });

  test('is otherwise the configuration that is tested', () => {
    const kept = deployFile('nginx.conf')
      .split('\n')
      .filter((line) => !/127\.0\.0\.1:808\d|listen 443|ssl_/.test(line));
    for (const line of kept) expect(edited.split('\n')).toContain(line);
  });
});
