import { eq } from 'drizzle-orm';
import { Problem } from '../domain/problem.ts';
import { OPEN_DEVICE_ID } from '../domain/scan.ts';
import type { DirectoryQueries } from './database.ts';
import { devices } from './schema.ts';
import type { Device } from './snapshot.ts';

/** @throws Problem `not_found` when no device has this name, `conflict` for the one that stands for posts without a key */
export async function findDeviceWithKeys(db: DirectoryQueries, name: string): Promise<Device> {
  // Postgres has no text with a NUL in it, and refuses even to look for one
  const [device] = name.includes('\0') ? [] : await db.select().from(devices).where(eq(devices.name, name));
  if (!device) throw new Problem('not_found', `there is no device named ${name}`);
  if (device.deviceId === OPEN_DEVICE_ID) throw new Problem('conflict', `${name} stands for posts without a key`);
  return device;
}
