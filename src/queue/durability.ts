import { Problem } from '../domain/problem.ts';
import { parseClusterUrl } from '../platform/queue-url.ts';
import { askPostgres } from './ask-postgres.ts';
import { queueKind } from './lanes.ts';
import { readRedisFacts, type RedisFacts } from './redis-facts.ts';

/**
 * `strict`: whatever may lose a confirmed job is a problem. `vouched`: what the server hides is taken on the operator's word.
 * `accept-loss`: whatever only a crash may cost is a warning.
 */
export type QueueDurability = 'strict' | 'vouched' | 'accept-loss';

export interface DurabilityReport {
  /** reasons not to start, each with what to change */
  problems: string[];
  /** what the operator has accepted, or vouches for, or should know */
  warnings: string[];
}

const TIMEOUT_MS = 5_000;

interface Findings {
  /** a queue that can't work, or loses jobs in daily use: never accepted */
  broken: string[];
  /** what a crash or a power cut costs */
  loss: string[];
  /** what the server does not tell, of these two kinds */
  hidden: { broken: string[]; loss: string[] };
  /** no reason not to start */
  advice: string[];
}

/**
 * Whether an ack of this queue survives kill -9 and a power cut. What was measured stands in the README: without these
 * settings acked scans were lost.
 *
 * @param o.replicas how many replicas every write waits for
 * @throws Problem queue_unavailable when the server can't be asked
 */
export async function checkDurability(
  queueUrl: string,
  mode: QueueDurability,
  o: { replicas?: number } = {},
): Promise<DurabilityReport> {
  const kind = queueKind(queueUrl);
  let found: Findings;
  try {
    found =
      kind === 'redis'
        ? judgeRedis(queueUrl, await readRedisFacts(queueUrl), o.replicas ?? 0)
        : await judgePostgres(queueUrl);
  } catch (error) {
    throw new Problem('queue_unavailable', 'The queue can not be asked how durable it is.', { cause: error });
  }
  return report(found, mode);
}

function report({ broken, loss, hidden, advice }: Findings, mode: QueueDurability): DurabilityReport {
  if (mode === 'strict') {
    return { problems: [...broken, ...unknown(hidden.broken), ...loss, ...unknown(hidden.loss)], warnings: advice };
  }
  if (mode === 'vouched') {
    return { problems: [...broken, ...loss], warnings: [...trusted([...hidden.broken, ...hidden.loss]), ...advice] };
  }
  return { problems: [...broken, ...unknown(hidden.broken)], warnings: [...loss, ...hidden.loss, ...advice] };
}

function unknown(texts: string[]): string[] {
  return texts.map((text) => `${text}; if it is so, say QUEUE_DURABILITY=vouched`);
}

function trusted(texts: string[]): string[] {
  return texts.map((text) => `taken on trust: ${text}`);
}

/** @param nodes undefined when a cluster was expected and there is none */
function judgeRedis(queueUrl: string, nodes: RedisFacts[] | undefined, replicas: number): Findings {
  if (!nodes) {
    const broken = ['the server is no Redis Cluster: begin the URL with redis:// or rediss://'];
    return { broken, loss: [], hidden: { broken: [], loss: [] }, advice: [] };
  }
  const policy = judge(nodes, 'maxmemory-policy', 'noeviction', 'a full server would drop jobs');
  const loss = [
    judge(nodes, 'appendonly', 'yes', 'a killed server would lose all jobs'),
    judge(nodes, 'appendfsync', 'always', 'a power cut would lose the last acked jobs'),
  ];
  return {
    broken: [...wrongKind(queueUrl, nodes), ...policy.wrong],
    loss: loss.flatMap(({ wrong }) => wrong),
    hidden: { broken: policy.hidden, loss: loss.flatMap(({ hidden }) => hidden) },
    advice: [...fullCoverage(nodes), ...fewReplicas(nodes, replicas)],
  };
}

/** @returns one sentence for each value that is not the wanted one */
function judge(nodes: RedisFacts[], setting: string, wanted: string, why: string) {
  const wrong: string[] = [];
  const hidden: string[] = [];
  for (const value of new Set(nodes.map(({ settings }) => settings.get(setting)))) {
    if (value === wanted) continue;
    const where = placesOf(nodes, ({ settings }) => settings.get(setting) === value);
    if (value === undefined) {
      hidden.push(`Redis ${setting} should be ${wanted}${where}, and the server hides its configuration (or ${why})`);
    } else {
      wrong.push(`Redis ${setting} is ${value}, not ${wanted}${where}: ${why}; change it in redis.conf`);
    }
  }
  return { wrong, hidden };
}

/** @returns ` on a:1, b:2`, or nothing where there is only one server */
function placesOf(nodes: RedisFacts[], matches: (facts: RedisFacts) => boolean): string {
  const names = nodes.filter(matches).map(({ name }) => name);
  return nodes.length === 1 ? '' : ` on ${names.join(', ')}`;
}

/** A cluster's node that is named as if it were alone: most lanes would be elsewhere. */
function wrongKind(queueUrl: string, [node]: RedisFacts[]): string[] {
  if (!node?.isClusterNode || parseClusterUrl(queueUrl)) return [];
  const scheme = queueUrl.startsWith('rediss') ? 'rediss' : 'redis';
  return [`the server is a node of a Redis Cluster: write the URL as ${scheme}+cluster://${node.name}`];
}

function fullCoverage(nodes: RedisFacts[]): string[] {
  const setting = 'cluster-require-full-coverage';
  if (!nodes.some(({ isClusterNode, settings }) => isClusterNode && settings.get(setting) === 'yes')) return [];
  return [`Redis ${setting} is yes: while one master is away, the lanes of all others stand still too; set it to no`];
}

function fewReplicas(nodes: RedisFacts[], replicas: number): string[] {
  const tooFew = ({ role, replicas: has }: RedisFacts) => role === 'master' && has !== undefined && has < replicas;
  if (!nodes.some(tooFew)) return [];
  const where = placesOf(nodes, tooFew);
  return [`QUEUE_REPLICAS is ${replicas}, and fewer follow the master${where} now: until they do, scans are refused`];
}

async function judgePostgres(queueUrl: string): Promise<Findings> {
  const { rows } = await askPostgres(queueUrl, TIMEOUT_MS, (client) =>
    client.query<{ commit: string; fsync: string }>(
      `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync`,
    ),
  );
  const { commit, fsync } = rows[0] as { commit: string; fsync: string };
  const loss = [
    ...(commit === 'off'
      ? ['Postgres synchronous_commit is off: a killed server would lose the last acked jobs; set it to on']
      : []),
    ...(fsync === 'off'
      ? ['Postgres fsync is off: a power cut would lose or corrupt the queue; set it to on in postgresql.conf']
      : []),
  ];
  return { broken: [], loss, hidden: { broken: [], loss: [] }, advice: [] };
}
