import { and, asc, eq, isNull } from 'drizzle-orm';
import { insertKey, type NewDeviceKey } from './add-device.ts';
import type { Directory } from './database.ts';
import { findDeviceWithKeys } from './find-device.ts';
import { deviceKeys } from './schema.ts';

/**
 * Gives a device a new key beside those it has, so that the device can change over while both work.
 *
 * @param name the device's name
 * @returns the new key, and the older ones that still work: to be revoked once the device uses the new one
 * @throws Problem `not_found` when no device has this name, `conflict` for the open device, `directory_unavailable`
 */
export async function rotateDeviceKey(
  directory: Directory,
  name: string,
): Promise<NewDeviceKey & { olderKeyIds: number[] }> {
  return directory.change(async (db) => {
    const device = await findDeviceWithKeys(db, name);
    const older = await db
      .select({ keyId: deviceKeys.keyId })
      .from(deviceKeys)
      .where(and(eq(deviceKeys.deviceId, device.deviceId), isNull(deviceKeys.revokedAt)))
      .orderBy(asc(deviceKeys.keyId));
    const made = await insertKey(db, device);
    return { ...made, olderKeyIds: older.map(({ keyId }) => keyId) };
  });
}
