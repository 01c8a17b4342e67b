import { globSync } from 'node:fs';
import { findProgram } from '../../loadtest/stack/programs.ts';

/** Programs that some tests need beyond `npm ci`, by the names their files have on PATH. */
const TOOLS = {
  redis: ['redis-server'],
  nginx: ['nginx'],
  openssl: ['openssl'],
  cc: ['cc'],
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  pg_dump: ['pg_dump'],
  initdb: ['initdb'],
} as const;

/** Debian keeps the programs of a Postgres server off PATH, in a folder for each major version. */
const POSTGRES_FOLDERS = '/usr/lib/postgresql/*/bin';

export type Tool = keyof typeof TOOLS;

/** @returns the full path of a program, or undefined */
export function findTool(tool: Tool): string | undefined {
  const onPath = TOOLS[tool].map(findProgram).find((file) => file !== undefined);
  return onPath ?? TOOLS[tool].flatMap((name) => globSync(`${POSTGRES_FOLDERS}/${name}`).toSorted()).at(-1);
}

/** @returns the programs that are not there */
export function missingTools(): string[] {
  return (Object.keys(TOOLS) as Tool[]).filter((tool) => findTool(tool) === undefined).map((tool) => TOOLS[tool][0]);
}
