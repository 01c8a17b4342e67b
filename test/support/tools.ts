import { findProgram } from '../../loadtest/stack/programs.ts';

/** Programs that some tests need beyond `npm ci`, by the names their files have on PATH. */
const TOOLS = {
  redis: ['redis-server'],
  nginx: ['nginx'],
  openssl: ['openssl'],
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
} as const;

export type Tool = keyof typeof TOOLS;

/** @returns the full path of a program, or undefined */
export function findTool(tool: Tool): string | undefined {
  return TOOLS[tool].map(findProgram).find((file) => file !== undefined);
}

/** @returns the programs that are not there */
export function missingTools(): string[] {
  return (Object.keys(TOOLS) as Tool[]).filter((tool) => findTool(tool) === undefined).map((tool) => TOOLS[tool][0]);
}
