import type { Context } from 'hono';
import { Problem } from '../domain/problem.ts';
import { hashDeviceKey } from '../directory/device-key.ts';
import type { SkierTokens } from '../directory/skier-tokens.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { bearerOf, isSameSecret } from '../platform/credentials.ts';
import { type HttpEnv, requestHeader } from '../platform/http-common.ts';

/** Who may read whose rides. */
export interface ReadAccess {
  adminKey: string;
  tokens: SkierTokens;
  directory: { snapshot(): Pick<DirectorySnapshot, 'devicesByKeyHash'> };
}

const DEVICE_KEY_PREFIX = 'll_dev_';

/**
 * Lets a skier read their own rides and an operator everyone's.
 *
 * @returns nothing when that is clear at once, as it is for a token that was checked a moment ago; else a promise
 * @throws Problem `unauthorized` without valid credentials, `forbidden` for a device's key (gates write, they don't read),
 * `not_found` for another skier's token: as if there were none; `identity_unavailable` when it can't be checked now
 */
export function allowReading(
  context: Context<HttpEnv>,
  skierId: number,
  access: ReadAccess,
): Promise<void> | undefined {
  const credential = bearerOf(requestHeader(context, 'authorization'));
  const knownId = access.tokens.remembered(credential);
  if (knownId !== undefined) return allowOwn(knownId, skierId);
  if (isSameSecret(credential, access.adminKey)) return undefined;
  if (credential.startsWith(DEVICE_KEY_PREFIX)) refuseDevice(credential, access);
  return access.tokens.verify(credential).then((ownId) => allowOwn(ownId, skierId));
}

function allowOwn(ownId: number, skierId: number): undefined {
  if (ownId !== skierId) throw new Problem('not_found', `there is no skier ${skierId}`);
}

function refuseDevice(key: string, access: ReadAccess): never {
  const isKnown = access.directory.snapshot().devicesByKeyHash.has(hashDeviceKey(key));
  if (isKnown) throw new Problem('forbidden', 'a device key can not read rides');
  throw new Problem('unauthorized', 'the device key is not known, or revoked');
}
