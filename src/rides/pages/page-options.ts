import type { RidesOptions } from '../options.ts';
import type { KeptReads } from '../kept-reads.ts';
import type { Renderer } from './render.ts';

/** What the pages stand on. */
export interface PageOptions extends Pick<RidesOptions, 'directory' | 'live' | 'logger'> {
  tokens: Pick<RidesOptions['tokens'], 'verify'>;
  reads: KeptReads;
  render: Renderer;
}
