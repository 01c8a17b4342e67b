import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_KEY, type ReadSide, startReadSide } from '../support/read-side.ts';

interface DocumentedReply {
  description: string;
  headers?: Record<string, object>;
  content?: Record<string, { schema: object }>;
}
interface Operation {
  summary?: string;
  security?: Record<string, unknown>[];
  parameters?: { name: string; in: string }[];
  responses: Record<string, DocumentedReply>;
}
interface Document {
  openapi: string;
  info: { version: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

const READS = [
  '/v1/skiers/{skierId}/rides',
  '/v1/skiers/{skierId}/days',
  '/v1/skiers/{skierId}/days/{date}',
  '/v1/skiers/{skierId}/seasons',
  '/v1/resorts',
  '/v1/resorts/{resortId}',
  '/v1/resorts/{resortId}/days/{date}',
  '/skiers/{resortID}/seasons/{seasonID}/days/{dayID}/skiers/{skierID}',
  '/skiers/{skierID}/vertical',
  '/resorts',
  '/resorts/{resortID}/seasons/{seasonID}/day/{dayID}/skiers',
  '/resorts/{resortID}/seasons',
  '/statistics',
];

const EXAMPLES: Record<string, string> = {
  skierId: '1',
  skierID: '1',
  resortId: '1',
  resortID: '1',
  seasonID: '2025',
  dayID: '1',
  date: '2026-01-10',
};

describe('the documentation that every process serves', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await startReadSide({ listen: true });
    await side.store([{ skierId: 1, liftId: 1, seasonDay: { season: 2025, day: 1, minutes: 10 } }]);
  });
  afterAll(() => side.stop());

  const document = async () => (await side.json('/openapi.json')) as Document;

  test('every read is described: summary, parameters of its path, what it gives and what may go wrong', async () => {
    const { openapi, paths, info } = await document();
    expect(openapi).toMatch(/^3\.1/);
    expect(info.version).toMatch(/^\d+\.\d+\.\d+/);
    for (const path of READS) {
      const operation = paths[path]?.get;
      expect([path, operation?.summary]).toEqual([path, expect.stringMatching(/./)]);
      const named = (operation?.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => name);
      expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(operation?.responses['200']?.content).toHaveProperty(['application/json', 'schema']);
      expect(Object.keys(operation?.responses ?? {})).toContain('500');
    }
  });

  test('what is a skier’s says so, and every reference and scheme exists', async () => {
    const found = await document();
    expect(found.paths['/v1/skiers/{skierId}/rides']?.get?.security).toEqual([{ skierToken: [] }, { adminKey: [] }]);
    const text = JSON.stringify(found);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(found.components.schemas).toHaveProperty(name as string);
    }
    const schemes = Object.values(found.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap((operation) => (operation.security ?? []).flatMap((entry) => Object.keys(entry)));
    for (const scheme of new Set(schemes)) expect(found.components.securitySchemes).toHaveProperty(scheme);
  });

  test('errors are problem+json, and the SkiDataAPI’s are {message}', async () => {
    const { paths } = await document();
    const typesOf = (path: string) => Object.keys(paths[path]?.get?.responses['404']?.content ?? {});
    expect(typesOf('/v1/resorts/{resortId}')).toEqual(['application/problem+json']);
    expect(typesOf('/resorts/{resortID}/seasons')).toEqual(['application/json']);
  });

  test.each(READS)('who has the answer already gets 304 where it says so, and only there: %s', async (path) => {
    const { parameters = [], responses = {} } = (await document()).paths[path]?.get ?? {};
    const example = `${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => EXAMPLES[name] as string)}?resort=1`;
    const authorization = `Bearer ${ADMIN_KEY}`;
    const first = await side.get(example, { authorization });
    expect(first.status).toBe(200);
    const etag = first.headers.get('etag') ?? '"none"';
    const again = await side.get(example, { authorization, 'if-none-match': etag });
    expect(String(again.status)).toBe('304' in responses ? '304' : '200');
    expect(parameters.some(({ name }) => name === 'If-None-Match')).toBe('304' in responses);
    expect(again.headers.has('etag')).toBe('304' in responses);
  });

  test('what may succeed later says when: Retry-After of 429 and 503', async () => {
    const operations = Object.values((await document()).paths).flatMap((methods) => Object.values(methods));
    const replies = operations.flatMap(({ responses }) => Object.entries(responses));
    const telling = replies.filter(([, { headers }]) => headers && 'Retry-After' in headers).map(([status]) => status);
    expect(telling).toEqual(replies.map(([status]) => status).filter((status) => status === '429' || status === '503'));
    expect(new Set(telling)).toEqual(new Set(['429', '503']));
  });

  test('the page and all it needs come from here', async () => {
    const page = await side.get('/docs');
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await page.text();
    expect(html).not.toMatch(/https?:|<script>|\son\w+=/);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) {
      const asset = await side.get(`/${link}`);
      expect([link, asset.status]).toEqual([link, 200]);
      expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(50);
    }
    const slash = await side.get('/docs/', {}, { redirect: 'manual' });
    expect([slash.status, slash.headers.get('location')]).toEqual([301, '../docs']);
  });
});
