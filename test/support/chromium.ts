import { type Browser, chromium } from 'playwright-core';
import { findTool } from './tools.ts';

/** The browser that this machine has; for `describe.skipIf(!chromiumPath)`. */
export const chromiumPath = findTool('chromium');

/**
 * A headless browser that asks nobody but the page's own server.
 *
 * @param switches of the command line, besides
 */
export function launchChromium(switches: string[] = []): Promise<Browser> {
  if (!chromiumPath) throw new Error('chromium is not on PATH');
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...switches,
    ],
  });
}
