import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { identify } from '../../src/cli/process-identity.ts';
import { until } from '../client/until.ts';
import type { Stack } from '../stack.ts';
import type { Fault, FaultContext, FaultPlace, FaultStackOptions } from './fault.ts';
import { needsRedis } from './needs.ts';
import { canMountDisks, createDiskImage, type DiskImage } from './tools/disk-image.ts';
import { assertTakesWrites, beginLogFile, untilMoreStored } from './tools/node-books.ts';

/** A new cluster, some segments of its log, and the scans of some minutes. */
const DISK_MB = 1_024;
/** Less than one segment of Postgres' log, so that sooner or later it can't write that. */
const LEFT_BYTES = 6 * 2 ** 20;
const BEFORE = 8_000;
const MEANWHILE = 5_000;
const FULL_MS = 60_000;
/** Half a second each; an even number. */
const FULL_ROUNDS = 20;
const WHOLE_MS = 60_000;

/**
 * The disk of one node fills up. Postgres refuses writes when it has no room for tables, and stops with a PANIC when it has
 * none for its log; the workers hold that node's jobs, the other lanes flow. When there is room again, it is started if
 * it has stopped.
 */
export const nodeDiskFull: Fault = {
  name: 'node-disk-full',
  summary: "one node's disk is full, later there is room again",
  canRun: () => (needsRedis() === true ? canMountDisks() : needsRedis()),
  stack: onImage,
  inflict,
  control: { none: 'no setting of Postgres lets a COMMIT succeed that did not fit on the disk' },
};

const NODE = 'beta';
/** Its lanes flow meanwhile. */
const OTHER = 'alpha';

interface NodeDisk {
  image: DiskImage;
  logFile: string;
}

/** Of each run that is under way. */
const disks = new WeakMap<FaultPlace, NodeDisk>();

async function onImage(place: FaultPlace): Promise<FaultStackOptions> {
  const image = await createDiskImage({ parent: place.folder, name: 'disk', sizeMb: DISK_MB });
  place.lifecycle.onStop(`disk of ${NODE}`, () => image.remove());
  const logFile = path.join(place.folder, `${NODE}.log`);
  await symlink(logFile, path.join(image.folder, `${NODE}.log`)); // a full disk takes no log either
  disks.set(place, { image, logFile });
  return {
    separateServers: true,
    nodeServer: (name) => (name === NODE ? { dataDir: path.join(image.folder, NODE) } : {}),
  };
}

async function inflict(context: FaultContext): Promise<void> {
  const disk = disks.get(context.place);
  if (!disk) throw new Error('the node has no disk of its own');
  do {
    await context.untilMoreAcked(BEFORE);
    await fillUp(context, disk);
    await makeRoom(context, disk);
  } while (!context.isEnough());
}

async function fillUp(context: FaultContext, { image, logFile }: NodeDisk): Promise<void> {
  const times = async (words: string) => (await readFile(logFile, 'utf8')).split(words).length;
  const refusals = () => times('No space left on device');
  const [before, stopsBefore] = [await refusals(), await times('PANIC')];
  await image.fill(LEFT_BYTES);
  context.mark(`disk of ${NODE} is nearly full`);
  const isFull = async () => (await refusals()) > before || undefined;
  await until('Postgres finds its disk full', isFull, { timeoutMs: FULL_MS });
  context.mark(`${NODE} finds its disk full`);
  await stayFull(context, image);
  const hasStopped = (await times('PANIC')) > stopsBefore;
  context.mark(`${NODE} ${hasStopped ? 'stopped itself (PANIC)' : 'refused writes'}`);
}

/** Meanwhile the other node's lanes flow, and scans are acked. */
async function stayFull(context: FaultContext, image: DiskImage): Promise<void> {
  const { url } = nodeOf(context.stack, NODE);
  await Promise.all([
    untilMoreStored(nodeOf(context.stack, OTHER), MEANWHILE / 4),
    context.untilMoreAcked(MEANWHILE),
    keepFull(context, image, url),
  ]);
  const takesWrites = await assertTakesWrites(url).then(
    () => true,
    () => false,
  );
  if (takesWrites) throw new Error(`${NODE} takes writes on a full disk`);
}

/** A server that recovers gives back some segments of its log: they are taken from it, too. */
async function keepFull(context: FaultContext, image: DiskImage, url: string): Promise<void> {
  for (let round = 0; round < FULL_ROUNDS; round += 1) {
    await image.fill(0);
    // first it has no room for tables; then none for its log either, which it would find out by itself after some minutes
    if (round === FULL_ROUNDS / 2) await beginLogFile(url).catch(() => {});
    await context.wait(500);
  }
}

async function makeRoom(context: FaultContext, { image }: NodeDisk): Promise<void> {
  const { server, url } = nodeOf(context.stack, NODE);
  await image.release();
  if (!identify(server.pid)) await server.restart();
  const takesWrites = () => assertTakesWrites(url).then(() => true);
  await until(`${NODE} takes writes`, takesWrites, { timeoutMs: WHOLE_MS, everyMs: 250 });
  context.mark(`${NODE} has room again`);
}

function nodeOf(stack: Stack, name: string): Stack['nodes'][number] {
  const node = stack.nodes.find((one) => one.name === name);
  if (!node) throw new Error(`there is no node ${name}`);
  return node;
}
