import { Problem } from '../domain/problem.ts';
import { type Directory, type DirectoryQueries, isUniqueViolation } from './database.ts';
import { hashDeviceKey, newDeviceKey } from './device-key.ts';
import { deviceKeys, devices } from './schema.ts';

/** A key that was just made: the only moment at which it can be shown. */
export interface NewDeviceKey {
  deviceId: number;
  name: string;
  keyId: number;
  /** the secret itself; it is not stored */
  key: string;
}

const NAME = /^[^\p{Cc}\s](?:[^\p{Cc}]{0,98}[^\p{Cc}\s])?$/u;

/**
 * Adds a device (a gate, a scanner) and its first key.
 *
 * @param name 1 to 100 characters, unique
 * @throws Problem `invalid` for another name, `conflict` when there is such a device, `directory_unavailable`
 */
export async function addDevice(directory: Directory, name: string): Promise<NewDeviceKey> {
  if (!NAME.test(name)) throw new Problem('invalid', 'a device needs a name of 1 to 100 printable characters');
  return directory.change(async (db) => {
    const { deviceId } = await insertDevice(db, name);
    return insertKey(db, { deviceId, name });
  });
}

/** Makes a key for a device, inside the caller's change. */
export async function insertKey(
  db: DirectoryQueries,
  device: { deviceId: number; name: string },
): Promise<NewDeviceKey> {
  const key = newDeviceKey();
  const row = { deviceId: device.deviceId, keyHash: hashDeviceKey(key) };
  const [inserted] = await db.insert(deviceKeys).values(row).returning({ keyId: deviceKeys.keyId });
  return { ...device, keyId: (inserted as { keyId: number }).keyId, key };
}

async function insertDevice(db: DirectoryQueries, name: string): Promise<{ deviceId: number }> {
  try {
    const [inserted] = await db.insert(devices).values({ name }).returning({ deviceId: devices.deviceId });
    return inserted as { deviceId: number };
  } catch (error) {
    if (isUniqueViolation(error)) throw new Problem('conflict', `there is a device named ${name} already`);
    throw error;
  }
}
