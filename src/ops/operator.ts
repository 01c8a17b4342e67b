import type { MiddlewareHandler } from 'hono';
import { hashDeviceKey } from '../directory/device-key.ts';
import type { DirectoryFollower } from '../directory/follower.ts';
import { Problem } from '../domain/problem.ts';
import { bearerOf, isSameSecret } from '../platform/credentials.ts';
import { type HttpEnv, requestHeader } from '../platform/http-common.ts';

/**
 * Lets operators pass: whoever sends the admin key as bearer. Works while the directory is away.
 *
 * @throws Problem `forbidden` for a device's key, `unauthorized` for everything else
 */
export function requireOperator(o: {
  adminKey: string;
  directory: Pick<DirectoryFollower, 'hasSnapshot' | 'snapshot'>;
}): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const credential = bearerOf(requestHeader(context, 'authorization'));
    if (!isSameSecret(credential, o.adminKey)) {
      const isDevice =
        o.directory.hasSnapshot() && o.directory.snapshot().devicesByKeyHash.has(hashDeviceKey(credential));
      throw isDevice
        ? new Problem('forbidden', 'a device key does not open this')
        : new Problem('unauthorized', 'this is not the admin key');
    }
    await next();
  };
}
