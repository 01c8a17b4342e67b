import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Env, Hono } from 'hono';
import { type DescribeRouteOptions, generateSpecs, type ResponsesWithResolver, resolver } from 'hono-openapi';
import { z } from 'zod';
import { isTemporary, PROBLEM_STATUS, type ProblemCode } from '../domain/problem.ts';

const SECURITY = {
  deviceKey: { type: 'http', scheme: 'bearer', description: 'A device key, `ll_dev_...`' },
  skierToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A signed token of one skier' },
  adminKey: { type: 'http', scheme: 'bearer', description: 'The admin key' },
} as const;

/** Who a route is for; public when it names no one. */
export type Audience = keyof typeof SECURITY;

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEM_STATUS) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string(),
    requestId: z.string(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457, with a stable code' });

/** What a route's description is made from. */
export interface RouteDoc {
  summary: string;
  description?: string;
  tag: string;
  audience?: Audience[];
  parameters?: DescribeRouteOptions['parameters'];
  /** of a JSON body */
  body?: z.ZodType;
  /** the success */
  status?: 200 | 201 | 202 | 204;
  /** of the success; none: no body */
  reply?: z.ZodType;
  /** of that body; JSON unless given */
  replyType?: string;
  /** of the success, besides its type: each with what it says */
  replyHeaders?: Readonly<Record<string, string>>;
  /** then whoever has the reply already gets 304, with the same headers and no body */
  hasEtag?: boolean;
  /** the problems that it may answer, besides those every route may */
  problems?: ProblemCode[];
  /** set where errors have another shape than problem+json */
  errorSchema?: z.ZodType;
}

/** @returns what `describeRoute` takes, so that all routes are described alike */
export function routeDoc(doc: RouteDoc): DescribeRouteOptions {
  return {
    summary: doc.summary,
    ...(doc.description === undefined ? {} : { description: doc.description }),
    tags: [doc.tag],
    security: (doc.audience ?? []).map((who) => ({ [who]: [] })),
    ...parametersOf(doc),
    ...(doc.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: resolver(doc.body) } } } }),
    responses: { ...successOf(doc), ...failuresOf(doc) },
  };
}

const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  schema: { type: 'string' },
  description: '`ETag` of an answer that the caller has: 304 if it still holds',
} as const;
const ETAG = { ETag: 'of the answer, but for its `asOf`' };

function parametersOf(doc: RouteDoc): Pick<DescribeRouteOptions, 'parameters'> {
  const parameters = [...(doc.parameters ?? []), ...(doc.hasEtag ? [IF_NONE_MATCH] : [])];
  return parameters.length === 0 ? {} : { parameters };
}

function successOf(doc: RouteDoc): ResponsesWithResolver {
  const type = doc.replyType ?? 'application/json';
  const content = doc.reply === undefined ? {} : { content: { [type]: { schema: resolver(doc.reply) } } };
  const named = { ...(doc.hasEtag ? ETAG : {}), ...doc.replyHeaders };
  const headers = Object.keys(named).length === 0 ? {} : { headers: headersOf(named) };
  return {
    [doc.status ?? 200]: { description: doc.summary, ...headers, ...content },
    ...(doc.hasEtag ? { 304: { description: 'the answer of that `ETag` still holds', ...headers } } : {}),
  };
}

function headersOf(named: Readonly<Record<string, string>>): Record<string, { description: string; schema: object }> {
  return Object.fromEntries(
    Object.entries(named).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );
}

const RETRY_AFTER = { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } } as const;

function failuresOf(doc: RouteDoc): ResponsesWithResolver {
  const codes = [...(doc.problems ?? []), 'internal', 'starting'] as ProblemCode[];
  const byStatus = Map.groupBy(codes, (code) => PROBLEM_STATUS[code]);
  const type = doc.errorSchema === undefined ? 'application/problem+json' : 'application/json';
  const schema = resolver(doc.errorSchema ?? problemSchema);
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: [...new Set(of)].join(', '),
        ...(isTemporary(status) ? { headers: RETRY_AFTER } : {}),
        content: { [type]: { schema } },
      },
    ]),
  );
}

/** @returns a path parameter's description */
export function pathParameter(name: string, schema: object, description?: string) {
  return { name, in: 'path', required: true, schema, ...(description === undefined ? {} : { description }) };
}

/** @returns a query parameter's description; one with an array schema may repeat */
export function queryParameter(name: string, schema: object, description: string, required = false) {
  return { name, in: 'query', required, schema, description };
}

const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** Scripts from here alone; Swagger UI draws its icons as data URLs and sets styles from its script. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Paths are relative, so that the page also works behind a prefix. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Liftline API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n`;

/**
 * `/openapi.json` and `/docs` for the routes of an app. The assets of the page come from the disk, none from elsewhere.
 *
 * @param o.of the app whose described routes are shown; read at the first request, so routes may still be added
 * @param o.pathPrefix as clients see it, '' for none
 */
export function apiDocs<E extends Env>(o: { of: Hono<E>; version: string; pathPrefix: string }): Hono {
  const app = new Hono();
  let document: Promise<object> | undefined;
  app.get('/openapi.json', async (context) => {
    document ??= describeApp(o);
    return context.json(await document);
  });
  app.get('/docs/', (context) => context.redirect('../docs', 301));
  app.get('/docs', (context) => context.html(PAGE, 200, { 'content-security-policy': PAGE_POLICY }));
  app.get('/docs/start.js', (context) =>
    context.body(START, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  );
  const assets = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(`/docs/${name}`, async (context) => {
      const asset = assets.get(name) ?? readAsset(name);
      assets.set(name, asset);
      return context.body(await asset, 200, { 'content-type': type, 'cache-control': 'public, max-age=3600' });
    });
  }
  return app;
}

function describeApp<E extends Env>(o: { of: Hono<E>; version: string; pathPrefix: string }): Promise<object> {
  return generateSpecs(o.of, {
    documentation: {
      info: {
        title: 'Liftline',
        version: o.version,
        description:
          'Scans in, rides out. Times are RFC 3339, dates are the resort’s local days, verticals are metres.',
      },
      servers: [{ url: o.pathPrefix === '' ? '/' : o.pathPrefix }],
      components: { securitySchemes: SECURITY },
    },
  });
}

async function readAsset(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return new Uint8Array(await readFile(join(folder, name)));
}
