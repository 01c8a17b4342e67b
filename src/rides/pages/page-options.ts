import type { RidesOptions } from '../options.ts';
import type { PageReads } from './reads.ts';
import type { Renderer } from './render.ts';

/** What the pages stand on. */
export interface PageOptions extends Pick<RidesOptions, 'directory' | 'live' | 'logger'> {
  tokens: Pick<RidesOptions['tokens'], 'verify'>;
  reads: PageReads;
  render: Renderer;
}
