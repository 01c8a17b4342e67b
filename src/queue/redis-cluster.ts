import { connect as connectTcp, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import type { ClusterAddress } from '../platform/queue-url.ts';
import { askRedis } from './ask-redis.ts';

export interface RedisNode {
  host: string;
  port: number;
}

type Login = Pick<RedisOptions, 'username' | 'password' | 'tls'>;
export type WayIn = Login & Pick<RedisOptions, 'Connector'>;

/** @returns what a connection to any node of a cluster needs besides host and port */
export function loginOf({ username, password, isTls }: ClusterAddress): Login {
  return { ...(username && { username }), ...(password && { password }), ...(isTls && { tls: {} }) };
}

/**
 * The options of a connection that follows the master of one key: each time it connects, it asks the cluster where that is.
 *
 * A lane lives in one slot, so its commands need one node, and a plain connection to it behaves in an outage as one to a lone
 * server does. ioredis' own `Cluster` is not used: it sends a command again by itself on whatever node it is pointed to, and
 * then nobody can tell on which connection a write went, which `WAIT` must know; one dead node holds up its view of the
 * others; and BullMQ needs patches of its own to get a worker's blocking connection out of it again.
 *
 * @param timeoutMs for each node that is asked
 */
export function followMaster(address: ClusterAddress, key: string, timeoutMs: number): WayIn {
  const login = loginOf(address);
  let nodes: RedisNode[] = address.seeds;
  let turn = Math.floor(Math.random() * nodes.length);
  /** Asks one node, a different one each time: one that is dead, or cut off and behind the times, delays only one attempt. */
  const findMaster = async (): Promise<RedisNode> => {
    const node = nodes[turn++ % nodes.length] as RedisNode;
    const { slot, ranges } = await onNode(node, login, timeoutMs, async (redis) => ({
      slot: await redis.cluster('KEYSLOT', key),
      ranges: await slotRanges(redis, node),
    }));
    nodes = withoutDoubles([...address.seeds, ...ranges.flatMap((range) => range.nodes)]);
    const master = ranges.find(({ first, last }) => first <= slot && slot <= last)?.nodes[0];
    if (!master) throw new Error(`no node of the cluster has slot ${slot}`);
    return master;
  };
  class MasterConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      let stream: Socket;
      try {
        stream = openSocket(await findMaster(), login);
      } catch (error) {
        // ioredis takes a rejection for the end; a socket that failed is tried again
        stream = new Socket().on('error', () => {}).destroy();
        this.firstError = error as Error;
      }
      if (!this.connecting) {
        stream.destroy();
        throw new Error('Connection is closed.');
      }
      stream.once('error', (error) => {
        this.firstError = error;
      });
      this.stream = stream;
      return stream;
    }
  }
  return { ...login, Connector: MasterConnector };
}

/** How long a connection may take to say goodbye. */
const DISCONNECT_MS = 2_000;

function openSocket({ host, port }: RedisNode, { tls }: Login): Socket {
  return tls
    ? connectTls({ host, port, ...tls, ...(!isIP(host) && { servername: host }) })
    : connectTcp({ host, port });
}

/**
 * Connects to one node, asks, and leaves.
 *
 * @throws Error when it does not answer within the timeout
 */
export function onNode<T>(
  node: RedisNode,
  login: Login,
  timeoutMs: number,
  ask: (redis: Redis) => Promise<T>,
): Promise<T> {
  return askRedis((options) => new Redis({ ...node, ...login, ...options }), timeoutMs, ask);
}

/** @returns every node that serves slots, masters first, as the first seed that answers knows them; @throws the last seed's error */
export async function clusterNodes(
  address: ClusterAddress,
  timeoutMs: number,
): Promise<{ masters: RedisNode[]; replicas: RedisNode[] }> {
  let lastError: unknown;
  for (const seed of address.seeds) {
    try {
      const ranges = await onNode(seed, loginOf(address), timeoutMs, (redis) => slotRanges(redis, seed));
      return {
        masters: withoutDoubles(ranges.flatMap(({ nodes }) => nodes.slice(0, 1))),
        replicas: withoutDoubles(ranges.flatMap(({ nodes }) => nodes.slice(1))),
      };
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

interface SlotRange {
  first: number;
  last: number;
  /** the master first */
  nodes: RedisNode[];
}

/** @param asked stands for a node that does not know its own name, and says nothing, `null` or `?` */
async function slotRanges(redis: Redis, asked: RedisNode): Promise<SlotRange[]> {
  const ranges = await redis.cluster('SLOTS');
  return ranges.map(([first, last, ...nodes]) => ({
    first,
    last,
    nodes: nodes.map(([host, port]) => ({ host: host && host !== '?' ? host : asked.host, port })),
  }));
}

function withoutDoubles(nodes: RedisNode[]): RedisNode[] {
  return [...new Map(nodes.map((node) => [`${node.host}:${node.port}`, node])).values()];
}
