import { expect, test } from 'vitest';
import { createLogger, withoutSecrets } from '../../src/platform/logger.ts';

function logLine(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  log(createLogger({ level: 'info', process: 'edge', destination: { write: (line) => void lines.push(line) } }));
  expect(lines).toHaveLength(1);
  return lines[0] as string;
}

test('a line is JSON with level, time, process and message', () => {
  const line = JSON.parse(logLine((logger) => logger.info({ lane: 3 }, 'flushed'))) as Record<string, unknown>;
  expect(line).toMatchObject({ level: 'info', process: 'edge', lane: 3, msg: 'flushed' });
  expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test.each([
  ['a field', { authorization: 'Bearer sesame' }, 'said'],
  ['a nested field', { req: { headers: { authorization: 'sesame' } } }, 'said'],
  ['a URL in a field', { url: 'postgres://liftline:sesame@db:5432/node' }, 'said'],
  ['a URL in the message', {}, 'no answer from redis://:sesame@cache:6379'],
  ['a device key', { got: 'll_dev_sesame-sesame_sesame' }, 'said'],
  ['a token', { got: 'eyJhbGciOiJIUzI1NiJ9.sesame.sesame' }, 'said'],
  ['an error', { err: new Error('connect postgres://a:sesame@h/db failed') }, 'said'],
  ['a key field', { deviceKey: 'sesame', adminKey: 'sesame', tokenSecret: 'sesame', password: 'sesame' }, 'said'],
])('no secret leaves in %s', (_where, fields, message) => {
  const line = logLine((logger) => logger.error(fields, message));
  expect(line).not.toContain('sesame');
  expect(() => JSON.parse(line) as unknown).not.toThrow();
});

test('a URL without a password stays as it is', () => {
  expect(withoutSecrets('http://127.0.0.1:8080/docs at 10:30')).toBe('http://127.0.0.1:8080/docs at 10:30');
});
