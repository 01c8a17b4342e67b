/** Where a Redis Cluster is. */
export interface ClusterAddress {
  /** nodes to ask first; they tell of the others */
  seeds: { host: string; port: number }[];
  /** empty: the default user */
  username: string;
  /** empty: none */
  password: string;
  isTls: boolean;
}

const CLUSTER = /^(rediss?)\+cluster:\/\/(?:([^@/?#\s]*)@)?([^@/?#\s]+)\/?$/;
const DEFAULT_PORT = 6_379;

/**
 * Reads `redis+cluster://[user:password@]host:port[,host:port ...]`, or `rediss+cluster://` for TLS. No common URL parser
 * takes several hosts. User and password are percent-encoded, as in every URL.
 *
 * @returns undefined for anything else
 */
export function parseClusterUrl(text: string): ClusterAddress | undefined {
  const [, scheme, login = '', hosts] = CLUSTER.exec(text) ?? [];
  if (!scheme || !hosts) return undefined;
  // a host may have letters that only a URL knows how to refuse
  const urls = hosts.split(',').map((host) => `redis://${login && `${login}@`}${host}`);
  if (!urls.every((url) => URL.canParse(url))) return undefined;
  const parsed = urls.map((url) => new URL(url));
  const seeds = parsed.map(({ hostname, port }) => ({
    host: hostname.replace(/^\[(.*)\]$/, '$1'), // IPv6 stands in brackets
    port: port ? Number(port) : DEFAULT_PORT,
  }));
  if (seeds.some(({ host }) => host === '')) return undefined;
  try {
    const [first] = parsed;
    return {
      seeds,
      username: decodeURIComponent(first?.username ?? ''),
      password: decodeURIComponent(first?.password ?? ''),
      isTls: scheme === 'rediss',
    };
  } catch {
    return undefined; // a % that is none
  }
}
