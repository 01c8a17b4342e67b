import type { html } from 'hono/html';

/** A piece of a page, as `html` of hono makes it: what was put into it is escaped. */
export type Html = ReturnType<typeof html>;
