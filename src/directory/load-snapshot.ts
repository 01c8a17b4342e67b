import { eq, isNull } from 'drizzle-orm';
import { Problem } from '../domain/problem.ts';
import { type Directory, type DirectoryQueries, inSnapshot } from './database.ts';
import * as tables from './schema.ts';
import { assembleSnapshot, type DirectorySnapshot } from './snapshot.ts';

/**
 * Reads the whole directory at one version.
 *
 * @throws Problem `directory_unavailable` when it can't be reached, is not initialised, or is of another format
 */
export function loadSnapshot(directory: Directory): Promise<DirectorySnapshot> {
  return directory.read(readSnapshot);
}

/** As {@link loadSnapshot}, on a connection of the caller's that is in no transaction. */
export function loadSnapshotOn(db: DirectoryQueries): Promise<DirectorySnapshot> {
  return inSnapshot(db, () => readSnapshot(db));
}

/** @returns the number that differs after every change, without reading what changed */
export async function readVersion(db: DirectoryQueries): Promise<number> {
  const [row] = await db.select({ version: tables.directoryVersion.version }).from(tables.directoryVersion);
  if (!row) throw new Problem('directory_unavailable', 'the directory has no version row');
  return row.version;
}

/** The queries of {@link loadSnapshot}, inside the caller's transaction. */
export async function readSnapshot(db: DirectoryQueries): Promise<DirectorySnapshot> {
  const settings = await readSettings(db);
  return assembleSnapshot({
    version: await readVersion(db),
    installation: settings.installation,
    shardCount: settings.shardCount,
    laneCount: settings.laneCount,
    nodes: await db.select().from(tables.nodes),
    shards: await db.select().from(tables.shards),
    resorts: await db.select().from(tables.resorts).orderBy(tables.resorts.resortId),
    lifts: await db.select().from(tables.lifts),
    seasons: await db.select().from(tables.seasons),
    deviceKeys: await readKeys(db),
  });
}

async function readSettings(
  db: DirectoryQueries,
): Promise<Pick<DirectorySnapshot, 'installation' | 'shardCount' | 'laneCount'>> {
  const [settings] = await db.select().from(tables.settings);
  if (!settings) throw new Problem('directory_unavailable', 'the directory is not initialised');
  if (settings.formatVersion !== tables.FORMAT_VERSION) {
    const formats = `${settings.formatVersion}, this version reads ${tables.FORMAT_VERSION}`;
    throw new Problem('directory_unavailable', `the directory is of format ${formats}`);
  }
  return settings;
}

function readKeys(db: DirectoryQueries): Promise<{ keyHash: string; deviceId: number; name: string }[]> {
  return db
    .select({ keyHash: tables.deviceKeys.keyHash, deviceId: tables.devices.deviceId, name: tables.devices.name })
    .from(tables.deviceKeys)
    .innerJoin(tables.devices, eq(tables.devices.deviceId, tables.deviceKeys.deviceId))
    .where(isNull(tables.deviceKeys.revokedAt));
}
