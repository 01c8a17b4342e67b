import { hashDeviceKey } from '../directory/device-key.ts';
import type { SkierTokens } from '../directory/skier-tokens.ts';
import type { Device, DirectorySnapshot } from '../directory/snapshot.ts';
import { Problem } from '../domain/problem.ts';
import { isSameSecret } from '../platform/credentials.ts';

/** Headers that were seen with a good key and are remembered: more than the gates of any resort group. */
const MAX_REMEMBERED = 10_000;
const BEARER = /^Bearer +(\S+) *$/i;

/** What lets the edge tell good credentials of another kind from bad ones. */
export interface OtherCredentials {
  /** none: skiers' tokens are not told apart */
  tokens?: SkierTokens;
  adminKey?: string;
}

/** Finds the device behind an `Authorization` header. */
export class DeviceAuthenticator {
  readonly #others: OtherCredentials;
  #snapshot: DirectorySnapshot | undefined;
  /** only of headers that hold a good key, and only as long as the snapshot is the same */
  readonly #remembered = new Map<string, Device>();

  constructor(others: OtherCredentials) {
    this.#others = others;
  }

  /** @returns the device whose key the header holds, or undefined; a hash for a header that is new, a look-up else */
  deviceOf(authorization: string | undefined, snapshot: DirectorySnapshot): Device | undefined {
    if (authorization === undefined) return undefined;
    if (snapshot !== this.#snapshot) {
      this.#remembered.clear();
      this.#snapshot = snapshot;
    }
    return this.#remembered.get(authorization) ?? this.#lookUp(authorization, snapshot);
  }

  /**
   * @returns why the header names no device: `forbidden` for a good skier token or the admin key, else `unauthorized`, also
   * for a token that can't be checked now, which is no device key either
   */
  async refusalOf(authorization: string | undefined): Promise<Problem> {
    if (authorization === undefined) return new Problem('unauthorized', 'send Authorization: Bearer <device key>');
    const credential = BEARER.exec(authorization)?.[1];
    if (credential !== undefined && (await this.#isOfOtherKind(credential))) {
      return new Problem('forbidden', 'scans are posted with a device key');
    }
    return new Problem('unauthorized', 'this is no device key, or one that was revoked');
  }

  #lookUp(authorization: string, snapshot: DirectorySnapshot): Device | undefined {
    const key = BEARER.exec(authorization)?.[1];
    const device = key === undefined ? undefined : snapshot.devicesByKeyHash.get(hashDeviceKey(key));
    if (!device) return undefined;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(authorization, device);
    return device;
  }

  async #isOfOtherKind(credential: string): Promise<boolean> {
    const { adminKey, tokens } = this.#others;
    if (adminKey !== undefined && isSameSecret(credential, adminKey)) return true;
    if (tokens === undefined) return false;
    if (tokens.remembered(credential) !== undefined) return true;
    return tokens.verify(credential).then(
      () => true,
      () => false,
    );
  }
}
