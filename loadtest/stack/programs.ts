import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Where Debian keeps servers, which is not always on a user's PATH. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** @returns the full path of a program, or undefined */
export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(path.delimiter), ...MORE_FOLDERS]) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** @throws Error that names the program and where it comes from */
export function requireProgram(name: string, debianPackage: string): string {
  const found = findProgram(name);
  if (!found) throw new Error(`${name} is not on PATH (Debian: apt install ${debianPackage})`);
  return found;
}
