import { createServer } from 'node:http';

/** Bare `node:http` that reads and parses the same bodies and answers the same: what no framework can beat. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const scan = JSON.parse(Buffer.concat(chunks).toString()) as { eventId?: string };
    const answer = `{"eventId":"${scan.eventId}","status":"accepted"}`;
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
    response.end(answer);
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
