import { Hono } from 'hono';
import { describeRoute } from 'hono-openapi';
import { z } from 'zod';
import { addDevice } from '../directory/add-device.ts';
import { listDevices } from '../directory/list-devices.ts';
import { revokeDeviceKey, revokeKeysOfDevice } from '../directory/revoke-device-key.ts';
import { rotateDeviceKey } from '../directory/rotate-device-key.ts';
import { MAX_SKIER_ID } from '../domain/shard.ts';
import { Problem, type ProblemCode } from '../domain/problem.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { pathParameter, type RouteDoc, routeDoc } from '../platform/openapi.ts';
import type { OpsOptions } from './options.ts';
import { readJson } from './json-body.ts';

const time = z.string().meta({ format: 'date-time' });
const key = z.object({ keyId: z.int(), createdAt: time, revokedAt: time.nullable() });
const device = z.object({ deviceId: z.int(), name: z.string(), keys: z.array(key) }).meta({ id: 'Device' });
const newKey = z
  .object({
    deviceId: z.int(),
    name: z.string(),
    keyId: z.int(),
    key: z.string().meta({ description: 'the secret, shown this once' }),
  })
  .meta({ id: 'NewDeviceKey' });
const newDevice = z.object({ name: z.string() });
const rotated = newKey.extend({ olderKeyIds: z.array(z.int()).meta({ description: 'keys that still work' }) });

const NAME = pathParameter('name', { type: 'string' });
const PROBLEMS: ProblemCode[] = ['unauthorized', 'forbidden', 'not_found', 'conflict', 'directory_unavailable'];

function doc(summary: string, rest: Omit<RouteDoc, 'summary' | 'tag'>) {
  return describeRoute(routeDoc({ summary, tag: 'Operators', audience: ['adminKey'], problems: PROBLEMS, ...rest }));
}

/** Gates and their keys, under `/ops/devices` and `/ops/keys`. Changes reach every process within moments. */
export function deviceRoutes({ directory }: Pick<OpsOptions, 'directory'>): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(
    '/ops/devices',
    doc('All devices and their keys', { reply: z.object({ devices: z.array(device) }) }),
    async (c) => c.json({ devices: await listDevices(directory) }),
  );
  app.post(
    '/ops/devices',
    doc('Add a device with its first key', {
      body: newDevice,
      status: 201,
      reply: newKey,
      problems: [...PROBLEMS, 'malformed', 'invalid'],
    }),
    async (c) => {
      const { name } = await readJson(c, newDevice);
      return c.json(await addDevice(directory, name), 201);
    },
  );
  app.post(
    '/ops/devices/:name/rotate',
    doc('Give a device one more key', { parameters: [NAME], status: 201, reply: rotated }),
    async (c) => c.json(await rotateDeviceKey(directory, readName(c.req.param('name'))), 201),
  );
  app.post(
    '/ops/devices/:name/revoke',
    doc('Revoke all keys of a device', { parameters: [NAME], reply: z.object({ revokedKeyIds: z.array(z.int()) }) }),
    async (c) => c.json({ revokedKeyIds: await revokeKeysOfDevice(directory, readName(c.req.param('name'))) }),
  );
  app.post(
    '/ops/keys/:keyId/revoke',
    doc('Revoke one key', {
      parameters: [pathParameter('keyId', { type: 'integer' })],
      status: 204,
      problems: [...PROBLEMS, 'malformed'],
    }),
    async (c) => {
      await revokeDeviceKey(directory, readKeyId(c.req.param('keyId')));
      return c.body(null, 204);
    },
  );
  return app;
}

/** No text with a NUL character can be in Postgres, nor even be looked for. */
function readName(text: string): string {
  if (text.includes('\0')) throw new Problem('not_found', 'there is no such device');
  return text;
}

function readKeyId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Problem('malformed', 'keyId must be a whole number');
  const keyId = Number(text);
  if (keyId < 1 || keyId > MAX_SKIER_ID) throw new Problem('not_found', `there is no key ${text}`);
  return keyId;
}
