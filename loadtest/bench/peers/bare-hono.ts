import { serve } from '@hono/node-server';
import { Hono } from 'hono';

/** A bare Hono app on the same adapter that reads and parses the same bodies and answers the same. */
const app = new Hono();
app.post('*', async (context) => {
  const scan = await context.req.json<{ eventId?: string }>();
  return context.json({ eventId: scan.eventId, status: 'accepted' }, 202);
});
serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
