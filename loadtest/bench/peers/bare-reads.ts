import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** Bare `node:http` that has every answer ready as bytes, and gives the one of the path: what no read side can beat. */
const answers = new Map(
  (JSON.parse(readFileSync(process.env.ANSWERS_FILE ?? '', 'utf8')) as Answer[]).map((answer) => {
    const body = Buffer.from(answer.body);
    return [answer.path, { headers: { ...answer.headers, 'content-length': body.length }, body }];
  }),
);

interface Answer {
  path: string;
  headers: Record<string, string>;
  body: string;
}

const server = createServer((request, response) => {
  const answer = answers.get(request.url ?? '');
  response.writeHead(answer ? 200 : 404, answer?.headers);
  response.end(answer?.body);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
