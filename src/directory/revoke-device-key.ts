import { and, eq, isNull, sql } from 'drizzle-orm';
import { Problem } from '../domain/problem.ts';
import type { Directory, DirectoryQueries } from './database.ts';
import { findDeviceWithKeys } from './find-device.ts';
import { deviceKeys } from './schema.ts';

const MAX_KEY_ID = 2_147_483_647;

/**
 * Ends one key, at every edge that hears of it. Doing it again changes nothing.
 *
 * @param keyId as `devices list` shows it
 * @throws Problem `not_found` when there is no such key, `directory_unavailable`
 */
export async function revokeDeviceKey(directory: Directory, keyId: number): Promise<void> {
  const missing = new Problem('not_found', `there is no key ${keyId}`);
  if (!Number.isInteger(keyId) || keyId < 1 || keyId > MAX_KEY_ID) throw missing;
  await directory.change(async (db) => {
    const [known] = await db.select().from(deviceKeys).where(eq(deviceKeys.keyId, keyId));
    if (!known) throw missing;
    if (known.revokedAt === null) await revoke(db, 'keyId', keyId);
  });
}

/**
 * Ends all keys of a device.
 *
 * @param name the device's name
 * @returns the ids of the keys that worked until now
 * @throws Problem `not_found` when no device has this name, `conflict` for the open device, `directory_unavailable`
 */
export async function revokeKeysOfDevice(directory: Directory, name: string): Promise<number[]> {
  return directory.change(async (db) => {
    const { deviceId } = await findDeviceWithKeys(db, name);
    return revoke(db, 'deviceId', deviceId);
  });
}

async function revoke(db: DirectoryQueries, column: 'keyId' | 'deviceId', value: number): Promise<number[]> {
  const revoked = await db
    .update(deviceKeys)
    .set({ revokedAt: sql`clock_timestamp()` })
    .where(and(eq(deviceKeys[column], value), isNull(deviceKeys.revokedAt)))
    .returning({ keyId: deviceKeys.keyId });
  return revoked.map(({ keyId }) => keyId).toSorted((a, b) => a - b);
}
