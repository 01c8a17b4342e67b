import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../loadtest/stack/nginx.ts';
import { findTool } from '../support/tools.ts';
import type { RedisCluster } from '../../loadtest/stack/redis-cluster.ts';
import { freePort } from '../../src/cli/free-port.ts';
import { checkDurability } from '../../src/queue/durability.ts';
import { openProducer } from '../../src/queue/producer.ts';
import { redisAvailable } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { collect, openSite, type Site, scansOf, startTestCluster } from './queue-backends.ts';

const isAvailable = redisAvailable && findTool('openssl') !== undefined;

describe.skipIf(!isAvailable)('a Redis Cluster behind TLS, with users', () => {
  let folder: string;
  let cluster: RedisCluster;
  let tlsPort: number;
  let site: Site | undefined;
  const trusted = getCACertificates('default');
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'liftline-tls-'));
    const { certificateFile, keyFile } = await selfSignedCertificate(folder);
    tlsPort = await freePort();
    const files = [
      '--tls-cert-file',
      certificateFile,
      '--tls-key-file',
      keyFile,
      '--tls-ca-cert-file',
      certificateFile,
    ];
    // without `tls-cluster`, Redis 7.0 tells everyone the ports without TLS
    const tls = ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', '--tls-cluster', 'yes', ...files];
    cluster = await startTestCluster({ masters: 1, replicas: 0, args: tls });
    const admin = new Redis(cluster.nodes[0]?.url as string);
    await admin.call('ACL', 'SETUSER', 'ski', 'on', '>p@ss', '~*', '+@all');
    admin.disconnect();
    setDefaultCACertificates([...trusted, await readFile(certificateFile, 'utf8')]);
  });
  afterEach(() => site?.lifecycle.stop(10_000));
  afterAll(async () => {
    setDefaultCACertificates(trusted);
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('carries scans both ways', async () => {
    const url = `rediss+cluster://ski:p%40ss@127.0.0.1:${tlsPort}`;
    expect(await checkDurability(url, 'strict')).toEqual({ problems: [], warnings: [] });
    site = await openSite(url);
    const { batchId } = await (await openProducer(site)).enqueue(0, scansOf(2));
    const { consumer, got } = collect(site);
    consumer.start();
    await until('it arrives', () => got[0]?.batchId === batchId);
  });

  it('is away for who has the wrong password, or trusts somebody else', async () => {
    const wrong = `rediss+cluster://ski:no@127.0.0.1:${tlsPort}`;
    await expect(checkDurability(wrong, 'strict')).rejects.toMatchObject({ cause: { message: /WRONGPASS/ } });
    setDefaultCACertificates(trusted);
    const right = `rediss+cluster://ski:p%40ss@127.0.0.1:${tlsPort}`;
    await expect(checkDurability(right, 'strict')).rejects.toMatchObject({ code: 'queue_unavailable' });
  });
});
