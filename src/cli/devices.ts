import { Command } from 'commander';
import { addDevice } from '../directory/add-device.ts';
import { type ListedDevice, listDevices } from '../directory/list-devices.ts';
import { revokeDeviceKey, revokeKeysOfDevice } from '../directory/revoke-device-key.ts';
import { rotateDeviceKey } from '../directory/rotate-device-key.ts';
import { wholeNumber } from './arguments.ts';
import { onDirectory } from './operator.ts';
import { CommandError, runCommand } from './run-command.ts';
import { textTable } from './text-table.ts';

const MAX_KEY_ID = 2_147_483_647;

/** `liftline devices`: gates and scanners, and the keys they post with. */
export function devicesCommand(): Command {
  const devices = new Command('devices').description('the devices that may post scans, and their keys');
  devices
    .command('add <name>')
    .description('add a device; prints its key, which can not be shown again')
    .action((name: string) =>
      runCommand(async () => {
        const added = await onDirectory((directory) => addDevice(directory, name));
        process.stderr.write(`device ${added.deviceId}, key ${added.keyId}: it is shown this once\n`);
        process.stdout.write(`${added.key}\n`);
      }),
    );
  devices
    .command('list')
    .description('list the devices and the ids of their keys')
    .action(() =>
      runCommand(async () => {
        process.stdout.write(showDevices(await onDirectory(listDevices)));
      }),
    );
  devices
    .command('rotate <name>')
    .description('give a device another key; the older ones work until they are revoked')
    .action((name: string) =>
      runCommand(async () => {
        const made = await onDirectory((directory) => rotateDeviceKey(directory, name));
        const older = made.olderKeyIds.map((id) => ` liftline devices revoke --key ${id}`).join(',');
        process.stderr.write(`key ${made.keyId}: it is shown this once${older && `; when it is in use:${older}`}\n`);
        process.stdout.write(`${made.key}\n`);
      }),
    );
  devices
    .command('revoke [name]')
    .description('end all keys of a device, or one key')
    .option('--key <id>', 'only this key', wholeNumber(1, MAX_KEY_ID))
    .action((name: string | undefined, flags: { key?: number }) => revoke(name, flags.key));
  return devices;
}

function revoke(name: string | undefined, keyId: number | undefined): Promise<void> {
  return runCommand(async () => {
    if ((name === undefined) === (keyId === undefined))
      throw new CommandError('give the name of a device, or --key ID');
    if (keyId !== undefined) {
      await onDirectory((directory) => revokeDeviceKey(directory, keyId));
      process.stdout.write(`revoked key ${keyId}\n`);
    } else if (name !== undefined) {
      const revoked = await onDirectory((directory) => revokeKeysOfDevice(directory, name));
      process.stdout.write(
        revoked.length > 0 ? `revoked key ${revoked.join(', ')}\n` : `${name} has no key that works\n`,
      );
    }
  });
}

function showDevices(devices: ListedDevice[]): string {
  const rows = devices.flatMap(({ deviceId, name, keys }) => {
    if (keys.length === 0) return [[String(deviceId), name, '', 'no key', '']];
    return keys.map(({ keyId, createdAt, revokedAt }) => [
      String(deviceId),
      name,
      String(keyId),
      revokedAt === null ? 'works' : `revoked ${revokedAt.toISOString()}`,
      createdAt.toISOString(),
    ]);
  });
  return textTable([['DEVICE', 'NAME', 'KEY', 'STATE', 'MADE'], ...rows]);
}
