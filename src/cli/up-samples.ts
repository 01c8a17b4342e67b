import { addDevice } from '../directory/add-device.ts';
import { type Directory, withDirectory } from '../directory/database.ts';
import { importResorts } from '../directory/import-resorts.ts';
import { listDevices } from '../directory/list-devices.ts';
import { listResorts } from '../directory/list-resorts.ts';
import { rotateDeviceKey } from '../directory/rotate-device-key.ts';
import { sampleResorts } from '../directory/sample-resorts.ts';
import { type Home, type Secrets, saveSecrets } from './home.ts';

const SAMPLE_DEVICE = 'sample-gate';

/**
 * Gives a fresh directory what a first scan needs: the sample resorts, and a device with a key. Later starts change
 * nothing, so that what an operator changed or revoked stays so.
 *
 * @param o.withResorts false leaves out the sample resorts
 * @returns the sample device's key, and whether there is any resort
 */
export async function prepareSamples(o: {
  directoryUrl: string;
  home: Home;
  secrets: Secrets;
  withResorts: boolean;
}): Promise<{ deviceKey: string; hasResorts: boolean }> {
  return withDirectory(o.directoryUrl, async (directory) => {
    const deviceKey = await sampleKey(directory, o.home, o.secrets);
    const known = await listResorts(directory);
    if (known.length === 0 && o.withResorts) await importResorts(directory, sampleResorts());
    return { deviceKey, hasResorts: known.length > 0 || o.withResorts };
  });
}

/** A key can't be read back, so it is kept in the home; a start that was killed in between gives the device another one. */
async function sampleKey(directory: Directory, home: Home, secrets: Secrets): Promise<string> {
  const isThere = (await listDevices(directory)).some(({ name }) => name === SAMPLE_DEVICE);
  if (isThere && secrets.deviceKey !== undefined) return secrets.deviceKey;
  const { key } = isThere ? await rotateDeviceKey(directory, SAMPLE_DEVICE) : await addDevice(directory, SAMPLE_DEVICE);
  await saveSecrets(home, { ...secrets, deviceKey: key });
  return key;
}
