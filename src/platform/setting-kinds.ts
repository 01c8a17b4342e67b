import { z } from 'zod';
import { B64_TOKEN } from './credentials.ts';
import { parseClusterUrl } from './queue-url.ts';

/** How the text of an environment variable becomes a value, and what to say when it can't. */
export interface Kind<T> {
  schema: z.ZodType<T, string>;
  /** completes "NAME must be ..." */
  expects: string;
}

/** A whole number, bounds included. */
export function whole(min: number, max: number): Kind<number> {
  const schema = z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
  return { schema, expects: `a whole number from ${min} to ${max}` };
}

/** A whole number, or undefined where the variable is not set. */
export function optionalWhole(min: number, max: number): Kind<number | undefined> {
  const { schema, expects } = whole(min, max);
  return { schema: z.union([z.literal('').transform(() => undefined), schema]), expects };
}

export function oneOf<const T extends string>(...values: T[]): Kind<T> {
  return { schema: z.enum(values), expects: `one of ${values.join(', ')}` };
}

/** Any text of at least `min` characters. */
export function text(min: number): Kind<string> {
  return { schema: z.string().min(min), expects: `at least ${min} characters long` };
}

/** What clients send as a bearer, of at least `min` characters. */
export function bearer(min: number): Kind<string> {
  const schema = z
    .string()
    .min(min)
    .regex(new RegExp(`^${B64_TOKEN}$`));
  return {
    schema,
    expects: `at least ${min} characters long, of letters, digits and - . _ ~ + / alone (= at its end)`,
  };
}

export function matching(pattern: RegExp, expects: string): Kind<string> {
  return { schema: z.string().regex(pattern), expects };
}

/** A URL with one of the given schemes. */
export function url(...schemes: string[]): Kind<string> {
  const schema = z.string().refine((value) => URL.canParse(value) && schemes.some((s) => value.startsWith(`${s}://`)));
  return { schema, expects: `a URL that starts with ${schemes.map((s) => `${s}://`).join(', ')}` };
}

/** The URL of a queue server: Postgres, Redis, or a Redis Cluster, which may have several hosts. */
export function queueUrl(): Kind<string> {
  const one = url('redis', 'rediss', 'postgres', 'postgresql');
  const schema = z.string().refine((value) => one.schema.safeParse(value).success || parseClusterUrl(value));
  return { schema, expects: `${one.expects}, or redis+cluster://host:port,host:port (rediss+cluster:// for TLS)` };
}

/** A URL that what is fetched from there can be trusted for: https, or http on this machine. */
export function trustedUrl(): Kind<string> {
  const schema = z.string().refine((value) => {
    const at = URL.parse(value);
    return at !== null && (at.protocol === 'https:' || (at.protocol === 'http:' && LOOPBACK.has(at.hostname)));
  });
  return { schema, expects: 'a URL that starts with https:// (http:// on 127.0.0.1, [::1] or localhost)' };
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Texts with commas between them; none for ''. */
export function texts(): Kind<readonly string[]> {
  const schema = z
    .string()
    .transform((list) => (list === '' ? [] : list.split(',').map((entry) => entry.trim())))
    .refine((entries) => entries.every((entry) => entry !== ''));
  return { schema, expects: 'texts with commas between them' };
}

/** `*`, or web origins with commas between them, as browsers send them; none for ''. */
export function origins(): Kind<readonly string[]> {
  const { schema } = texts();
  return {
    schema: schema.refine((entries) => entries.every(isOrigin) || (entries.length === 1 && entries[0] === '*')),
    expects: '* or origins with commas between them, like https://app.example, in small letters and without a path',
  };
}

/** Browsers' and those of apps' web views, like capacitor://localhost. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@,*A-Z]+$/;

/** A browser leaves out the port that its scheme has anyway. */
function isOrigin(value: string): boolean {
  const at = ORIGIN.test(value) ? URL.parse(value) : null;
  return at !== null && (at.origin === value || !/^https?:$/.test(at.protocol));
}

/** Whole numbers with commas between them; none for ''. */
export function numbers(expects: string): Kind<readonly number[]> {
  const schema = z
    .string()
    .regex(/^(\d{1,4}(,\d{1,4})*)?$/)
    .transform((list) => (list === '' ? [] : [...new Set(list.split(',').map(Number))]));
  return { schema, expects };
}
