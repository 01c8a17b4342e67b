import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Programs that some tests need beyond `npm ci`, by the name of the file on PATH. */
const TOOLS = { redis: ['redis-server'], chromium: ['chromium', 'chromium-browser', 'google-chrome'] } as const;

export type Tool = keyof typeof TOOLS;

/** @returns the full path of a program, or undefined */
export function findProgram(tool: Tool): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const name of TOOLS[tool]) {
    for (const folder of folders) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        continue;
      }
    }
  }
  return undefined;
}

/** @returns the programs that are not there */
export function missingTools(): string[] {
  return (Object.keys(TOOLS) as Tool[]).filter((tool) => findProgram(tool) === undefined).map((tool) => TOOLS[tool][0]);
}
