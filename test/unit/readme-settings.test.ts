import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { renderSettingsTable } from '../../src/platform/config.ts';

test('the README lists the settings as the code has them', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const [, listed] = readme.split('<!-- settings -->');
  expect(listed?.trim()).toBe(renderSettingsTable());
});
