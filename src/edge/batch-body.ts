import { Problem } from '../domain/problem.ts';
import { parseJson } from './request-body.ts';

/** How many scans one request may hold. */
export const MAX_POSTED_SCANS = 1_000;

/**
 * @param mediaType `application/json` for `{"scans": [...]}`, `application/x-ndjson` for a scan a line
 * @returns what was posted for each scan, 1 to 1,000; a line that is not JSON is a `malformed` Problem
 * @throws Problem `malformed` when there is no list or nothing in it, `too_large` when there are too many
 */
export function readBatch(text: string, mediaType: string): unknown[] {
  const posted = mediaType === 'application/x-ndjson' ? readLines(text) : readList(text);
  if (posted.length === 0) throw new Problem('malformed', 'a batch holds at least one scan');
  if (posted.length > MAX_POSTED_SCANS) {
    throw new Problem('too_large', `a batch holds at most ${MAX_POSTED_SCANS} scans, not ${posted.length}`);
  }
  return posted;
}

function readList(text: string): unknown[] {
  const body = parseJson(text);
  if (typeof body === 'object' && body !== null && 'scans' in body && Array.isArray(body.scans)) return body.scans;
  throw new Problem('malformed', 'a batch is {"scans": [...]}');
}

function readLines(text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > MAX_POSTED_SCANS) return lines; // refused by their number, so not worth parsing
  return lines.map(readLine);
}

function readLine(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return new Problem('malformed', 'this line is not JSON');
  }
}
