import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { Hono } from 'hono';

/** Where the parts of each asset are, by the name that it is served under (`page.css`), in their order. */
export type AssetSources = Record<string, URL[]>;

/** What pages link to: styles, scripts, icons. */
export interface BrowserAssets {
  /** @returns the name of each asset with a hash of its content (`page.3f0c8e1a.css`), by its plain name */
  names(): Promise<Record<string, string>>;
  /** serves them as `/{name}`, to be mounted where the pages look for them */
  routes: Hono;
}

interface Asset {
  hashedName: string;
  type: string;
  content: string;
}

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** A part of every script that keeps a page up to date. */
export const LIVE_SWITCH = new URL('browser/live-switch.ts', import.meta.url);
const HASH_CHARACTERS = 10;
/** Of one part by another: in the asset, which is one module, the names are there. */
const IMPORT_OF_PART = /^import \{[^}]*\} from '(?:\.{1,2}\/)+[\w/-]+\.ts';/gm;
const HASHED = /^(\w[\w-]*)\.\w+(\.\w+)$/;

/**
 * Assets from the disk, read at the first request for one of them or for their names. A script's parts are TypeScript, whose
 * types are blanked out: browsers get what was written, line by line, without a build step. They may import from each other, if
 * each comes after those that it imports from, and no two give the same name to anything at their top.
 *
 * A name that holds another hash, as while processes are upgraded one by one, gets what there is now, and nobody keeps it.
 */
export function browserAssets(sources: AssetSources): BrowserAssets {
  let loading: Promise<Map<string, Asset>> | undefined;
  const load = () => {
    loading ??= loadAll(sources);
    return loading;
  };
  const routes = new Hono();
  routes.get('/:name', async (context) => {
    const name = context.req.param('name');
    const asset = (await load()).get(name.replace(HASHED, '$1$2'));
    if (!asset) return context.notFound();
    const isCurrent = name === asset.hashedName;
    return context.body(asset.content, 200, {
      'content-type': asset.type,
      'cache-control': isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache',
      'x-content-type-options': 'nosniff',
    });
  });
  return {
    async names() {
      return Object.fromEntries([...(await load())].map(([name, { hashedName }]) => [name, hashedName]));
    },
    routes,
  };
}

async function loadAll(sources: AssetSources): Promise<Map<string, Asset>> {
  const loaded = Object.entries(sources).map(async ([name, parts]) => {
    const content = (await Promise.all(parts.map(readPart))).join('\n');
    const hash = createHash('sha256').update(content).digest('hex').slice(0, HASH_CHARACTERS);
    const extension = extname(name);
    const hashedName = `${name.slice(0, -extension.length)}.${hash}${extension}`;
    return [name, { hashedName, content, type: TYPES[extension] ?? 'application/octet-stream' }] as const;
  });
  return new Map(await Promise.all(loaded));
}

async function readPart(file: URL): Promise<string> {
  const text = await readFile(file, 'utf8');
  if (!file.pathname.endsWith('.ts')) return text;
  return stripTypeScriptTypes(text).replaceAll(IMPORT_OF_PART, (statement) => statement.replaceAll(/[^\n]/g, ' '));
}
