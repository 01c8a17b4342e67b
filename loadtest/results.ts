import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PROJECT } from './stack/liftline.ts';

const FOLDER = path.join(PROJECT, 'loadtest/results');

/** Writes a result as JSON into the folder that git ignores. @returns the file, from the project's folder */
export function writeResult(name: string, result: object): Promise<string> {
  return writeReport(name, 'json', `${JSON.stringify(result, null, 2)}\n`);
}

/** Writes a file into the same folder. @returns the file, from the project's folder */
export async function writeReport(name: string, extension: string, text: string): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  const file = path.join(FOLDER, `${name}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.${extension}`);
  await writeFile(file, text);
  return path.relative(PROJECT, file);
}

/** @returns rows of equal length as a Markdown table, aligned for reading as it is; the first row is the head */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  const rule = widths.map((width) => '-'.repeat(width));
  return `${[line(head), line(rule), ...body.map(line)].join('\n')}\n`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
