import { describe, expect, test } from 'vitest';
import { hashDeviceKey } from '../../src/directory/device-key.ts';
import { staticDirectory } from '../../src/directory/follower.ts';
import { sampleResorts } from '../../src/directory/sample-resorts.ts';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import { assembleSnapshot, type DirectoryRows } from '../../src/directory/snapshot.ts';

const rows: DirectoryRows = {
  version: 7,
  installation: '3b241101-e2bb-4255-8caf-4136c566a962',
  shardCount: 2,
  laneCount: 1,
  nodes: [{ nodeId: 1, name: 'a', url: 'postgres://a' }],
  shards: [
    { shard: 1, nodeId: 1, epoch: 3 },
    { shard: 0, nodeId: 1, epoch: 1 },
  ],
  resorts: [],
  lifts: [],
  seasons: [],
  deviceKeys: [],
};

describe('assembleSnapshot', () => {
  test('puts shards in order', () => {
    expect(assembleSnapshot(rows)).toMatchObject({ version: 7, nodeOfShard: [1, 1], epochOfShard: [1, 3] });
  });

  test('keeps several keys of one device', () => {
    const deviceKeys = ['x', 'y'].map((keyHash) => ({ keyHash, deviceId: 4, name: 'gate' }));
    const { devicesByKeyHash } = assembleSnapshot({ ...rows, deviceKeys });
    expect([...devicesByKeyHash.entries()]).toEqual([
      ['x', { deviceId: 4, name: 'gate' }],
      ['y', { deviceId: 4, name: 'gate' }],
    ]);
  });

  test.each<[string, Partial<DirectoryRows>, RegExp]>([
    ['a shard is missing', { shards: rows.shards.slice(1) }, /each shard from 0 to 1/],
    [
      'a shard is there twice',
      { shards: [...rows.shards.slice(1), ...rows.shards.slice(1)] },
      /each shard from 0 to 1/,
    ],
    ['there are more shards than settled', { shardCount: 1 }, /each shard from 0 to 0/],
    ['a shard is on no node', { nodes: [] }, /on node 1, which does not exist/],
  ])('refuses a map in which %s', (_what, changed, message) => {
    expect(() => assembleSnapshot({ ...rows, ...changed })).toThrow(message);
  });
});

describe('the samples', () => {
  const nodes = [
    { name: 'node-a', url: 'postgres://a' },
    { name: 'node-b', url: 'postgres://b' },
  ];
  const snapshot = sampleSnapshot({ shardCount: 64, laneCount: 4, nodes, devices: [{ name: 'gate', key: 'secret' }] });

  test('are ten resorts with the lifts 1 to 40 of liftId times 10 metres', () => {
    expect([...snapshot.resorts.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const resort of snapshot.resorts.values()) {
      const verticals = [...resort.lifts.values()].map(({ liftId, verticalM }) => [liftId, verticalM]);
      expect(verticals).toEqual(Array.from({ length: 40 }, (_, i) => [i + 1, (i + 1) * 10]));
      expect(new Set([...resort.lifts.values()].map(({ name }) => name)).size).toBe(40);
    }
  });

  test('stand in different time zones, with seasons on both hemispheres', () => {
    expect(new Set(sampleResorts().map(({ timeZone }) => timeZone)).size).toBe(10);
    const starts = sampleResorts().map(({ seasonStartsOn }) => Number(seasonStartsOn.slice(0, 2)));
    expect(starts.filter((month) => month >= 4 && month <= 7).length).toBeGreaterThanOrEqual(2);
    expect(starts.filter((month) => month >= 10).length).toBeGreaterThanOrEqual(6);
  });

  test('have declared seasons without gaps', () => {
    for (const { calendar } of snapshot.resorts.values()) {
      expect(calendar.declaredSeasons).toEqual([2024, 2025, 2026]);
      expect(calendar.problems()).toEqual([]);
    }
  });

  test('keep all shards of a lane on one node', () => {
    const nodesOfLane = Map.groupBy(snapshot.nodeOfShard.entries(), ([shard]) => shard % 4);
    for (const entries of nodesOfLane.values()) expect(new Set(entries.map(([, nodeId]) => nodeId)).size).toBe(1);
    expect(new Set(snapshot.nodeOfShard)).toEqual(new Set([1, 2]));
  });

  test('know the device by the hash of its key', () => {
    expect(snapshot.devicesByKeyHash.get(hashDeviceKey('secret'))).toEqual({ deviceId: 1, name: 'gate' });
  });

  test('are a directory that is always there', async () => {
    const directory = staticDirectory(snapshot);
    expect([directory.hasSnapshot(), directory.snapshot(), directory.secondsSinceContact()]).toEqual([
      true,
      snapshot,
      0,
    ]);
    expect(await directory.reload()).toBe(snapshot);
    await directory.stop();
  });
});
