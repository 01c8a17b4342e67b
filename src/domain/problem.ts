/** The closed set of error codes that leave the system, each with its HTTP status. Clients may rely on them. */
export const PROBLEM_STATUS = {
  malformed: 400,
  bad_cursor: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  invalid: 422,
  unknown_resort: 422,
  unknown_lift: 422,
  too_far_ahead: 422,
  too_old: 422,
  quota_exceeded: 429,
  internal: 500,
  overloaded: 503,
  queue_unavailable: 503,
  node_unavailable: 503,
  directory_unavailable: 503,
  identity_unavailable: 503,
  starting: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;
type ProblemStatus = (typeof PROBLEM_STATUS)[ProblemCode];

/** @returns whether it passes by itself: then the reply has `Retry-After` */
export function isTemporary(status: ProblemStatus): boolean {
  return status === 429 || status === 503;
}

/** An error a caller may see: a stable code and a sentence for a person. Anything else leaves as an opaque `internal`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  /** whole seconds for `Retry-After`, on 429 and 503 */
  readonly retryAfterS: number | undefined;

  constructor(code: ProblemCode, detail: string, options: { retryAfterS?: number; cause?: unknown } = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterS = options.retryAfterS ?? (isTemporary(PROBLEM_STATUS[code]) ? 1 : undefined);
  }

  get status(): ProblemStatus {
    return PROBLEM_STATUS[this.code];
  }
}
