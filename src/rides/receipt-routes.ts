import { type Context, Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { hashDeviceKey } from '../directory/device-key.ts';
import { Problem } from '../domain/problem.ts';
import type { Receipt } from '../domain/receipt.ts';
import { bearerOf } from '../platform/credentials.ts';
import { type HttpEnv, requestHeader } from '../platform/http-common.ts';
import { pathParameter, routeDoc } from '../platform/openapi.ts';
import type { ScanFate } from '../shards/scan-fate.ts';
import { allowReading } from './caller.ts';
import type { RidesOptions } from './options.ts';
import { readReceipt } from './read-receipt.ts';

const instant = z.string().meta({ format: 'date-time' });
const eventId = z.string().meta({ format: 'uuid' });
const common = { eventId, acceptedAt: instant };
const scanFate = z
  .discriminatedUnion('status', [
    z.object({ ...common, status: z.literal('queued') }),
    z.object({
      ...common,
      status: z.literal('persisted'),
      persistedAt: instant.nullable().meta({ description: 'null when that was days ago' }),
      node: z.string(),
      shard: z.int().min(0),
    }),
    z.object({ ...common, status: z.literal('dead'), reason: z.object({ code: z.string(), detail: z.string() }) }),
    z.object({ ...common, status: z.literal('discarded') }),
  ])
  .meta({ id: 'ScanFate' });

const DOC = routeDoc({
  summary: 'What became of a scan that was acked',
  description:
    'For the device that sent it, its skier and operators. `dead`: no node can store it, an operator will look at it; `discarded`: one has removed it, or has just put it back into the queue (then it is `persisted` soon). Where reads come from a replica, `queued` may be a little late.',
  tag: 'Scans',
  audience: ['deviceKey', 'skierToken', 'adminKey'],
  parameters: [pathParameter('receipt', { type: 'string' }, 'of the ack')],
  reply: scanFate,
  problems: ['malformed', 'unauthorized', 'not_found', 'node_unavailable', 'identity_unavailable'],
});

/** `GET /v1/receipts/{receipt}`: a receipt says by itself where its scan would be, so there is no index to keep. */
export function receiptRoutes(o: RidesOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get('/v1/receipts/:receipt', describeRoute(DOC), async (c) => {
    const receipt = readReceipt(c.req.param('receipt'));
    await allowAsking(c, receipt, o);
    const { fate, nodeId, shard } = await o.history.fate(receipt);
    const node = o.directory.snapshot().nodes.get(nodeId)?.name ?? String(nodeId);
    return c.json(fateJson(receipt, fate, { node, shard }), 200, { 'cache-control': 'private, no-store' });
  });
  return app;
}

/** @throws Problem `not_found` for somebody else's scan, and as {@link allowReading} */
async function allowAsking(context: Context<HttpEnv>, { deviceId, skierId }: Receipt, o: RidesOptions): Promise<void> {
  const credential = bearerOf(requestHeader(context, 'authorization'));
  const device = o.directory.snapshot().devicesByKeyHash.get(hashDeviceKey(credential));
  if (!device) return allowReading(context, skierId, o);
  if (device.deviceId !== deviceId) throw new Problem('not_found', 'this device has sent no such scan');
}

function fateJson(receipt: Receipt, fate: ScanFate, place: { node: string; shard: number }): z.infer<typeof scanFate> {
  const scan = { eventId: receipt.eventId, acceptedAt: new Date(receipt.acceptedAt).toISOString() };
  switch (fate.status) {
    case 'persisted': {
      const persistedAt = fate.persistedAt === null ? null : new Date(fate.persistedAt).toISOString();
      return { ...scan, status: 'persisted', persistedAt, ...place };
    }
    case 'dead':
      return { ...scan, status: 'dead', reason: { code: fate.code, detail: fate.detail } };
    default:
      return { ...scan, status: fate.status };
  }
}
