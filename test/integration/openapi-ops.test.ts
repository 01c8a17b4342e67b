import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';

interface Document {
  paths: Record<
    string,
    Record<string, { security?: object[]; responses: Record<string, object>; requestBody?: object }>
  >;
}

const ROUTES = [
  ['get', '/ops/devices', '200'],
  ['post', '/ops/devices', '201'],
  ['post', '/ops/devices/{name}/rotate', '201'],
  ['post', '/ops/devices/{name}/revoke', '200'],
  ['post', '/ops/keys/{keyId}/revoke', '204'],
  ['get', '/ops/resorts', '200'],
  ['get', '/ops/dead', '200'],
  ['get', '/ops/dead/{deadLetterId}', '200'],
  ['post', '/ops/dead/{deadLetterId}/replay', '202'],
  ['post', '/ops/dead/{deadLetterId}/discard', '204'],
  ['get', '/ops/status', '200'],
  ['get', '/ops/autoscale', '200'],
  ['post', '/resorts/{resortID}/seasons', '201'],
] as const;

describe('the documentation of the control plane', () => {
  let plane: ControlPlane;
  let document: Document;
  beforeAll(async () => {
    plane = await startControlPlane();
    document = (await (await plane.ask('GET', '/openapi.json', { authorization: null })).json()) as Document;
  });
  afterAll(() => plane.stop());

  test.each(ROUTES)('%s %s is described, with its success and the admin key', (method, path, status) => {
    const operation = document.paths[path]?.[method];
    expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining([status, '401', '403', '500']));
    expect(operation?.security).toEqual([{ adminKey: [] }]);
  });

  test('nothing under /ops is left undescribed', () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.toSorted()).toEqual(ROUTES.map(([method, path]) => `${method} ${path}`).toSorted());
  });

  test('bodies are described where there are some', () => {
    for (const path of ['/ops/devices', '/resorts/{resortID}/seasons']) {
      expect(document.paths[path]?.post?.requestBody).toMatchObject({
        content: { 'application/json': { schema: {} } },
      });
    }
  });
});
