import { expect } from 'vitest';

/** @returns status and code of a problem, once it has the form that every problem has */
export async function problemOf(response: Response): Promise<[status: number, code: string]> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Record<'code' | 'detail' | 'requestId' | 'title', string> & {
    status: number;
  };
  expect(problem.status).toBe(response.status);
  for (const part of ['code', 'detail', 'requestId', 'title'] as const) expect(problem[part]).toMatch(/./);
  if (response.status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer');
  return [response.status, problem.code];
}

/** @returns the status of an error of the SkiDataAPI, once it has the form that they all have: `{message}` as JSON */
export async function messageStatus(response: Response): Promise<number> {
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const body = (await response.json()) as { message: string };
  expect(Object.keys(body)).toEqual(['message']);
  expect(body.message).toMatch(/./);
  if (response.status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer');
  return response.status;
}
