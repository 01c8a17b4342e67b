import { BlockList, isIP } from 'node:net';
import { Unsupported } from './unsupported.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * The stand-in loads this machine and no other: whoever wants to load another one runs a real load generator, and knows.
 *
 * @throws Unsupported unless the URL is http and its host is a loopback address or `localhost`
 */
export function requireLoopback(url: URL): void {
  if (url.protocol !== 'http:') throw new Unsupported(`${url.protocol.slice(0, -1)} (http only)`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const isLocal = family === 0 ? host === 'localhost' : loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
  if (!isLocal) throw new Unsupported(`load on ${host} (loopback only)`);
}
