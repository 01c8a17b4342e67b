import { asc } from 'drizzle-orm';
import type { Directory } from './database.ts';
import { deviceKeys, devices } from './schema.ts';
import type { Device } from './snapshot.ts';

/** A device and its keys, the oldest first; a key itself can't be shown again. */
export interface ListedDevice extends Device {
  keys: { keyId: number; createdAt: Date; revokedAt: Date | null }[];
}

/** @returns every device by id, also those without a key; @throws Problem `directory_unavailable` */
export async function listDevices(directory: Directory): Promise<ListedDevice[]> {
  return directory.read(async (db) => {
    const all = await db.select().from(devices).orderBy(asc(devices.deviceId));
    const keys = await db.select().from(deviceKeys).orderBy(asc(deviceKeys.keyId));
    const keysOf = Map.groupBy(keys, ({ deviceId }) => deviceId);
    return all.map((device) => ({
      ...device,
      keys: (keysOf.get(device.deviceId) ?? []).map(({ keyId, createdAt, revokedAt }) => ({
        keyId,
        createdAt,
        revokedAt,
      })),
    }));
  });
}
