import { setting } from './setting.ts';
import { origins, text, texts, trustedUrl, url, whole } from './setting-kinds.ts';

/** Of those who check skiers’ tokens. */
const CHECKERS = ['edge', 'rides', 'up'] as const;

/** The settings of those who serve readers: whose tokens they take, and which web pages may ask. */
export const READ_SETTINGS = {
  tokenJwksUrl: setting(trustedUrl(), {
    name: 'TOKEN_JWKS_URL',
    default: undefined,
    processes: CHECKERS,
    describe:
      'The public keys (JWKS) of your identity provider: its tokens are taken then, besides our own if `TOKEN_SECRET` is set too. An edge needs it only to tell a skier’s token (403) from a bad key (401).',
  }),
  tokenIssuer: setting(text(1), {
    name: 'TOKEN_ISSUER',
    default: undefined,
    processes: CHECKERS,
    describe: 'The `iss` of the provider’s tokens, exactly; required with `TOKEN_JWKS_URL`.',
  }),
  tokenAudiences: setting(texts(), {
    name: 'TOKEN_AUDIENCE',
    default: '',
    processes: CHECKERS,
    describe:
      'The `aud` of the provider’s tokens, or several with commas between them; required with `TOKEN_JWKS_URL`.',
  }),
  tokenSkierClaim: setting(text(1), {
    name: 'TOKEN_SKIER_CLAIM',
    default: 'sub',
    processes: CHECKERS,
    describe: 'The claim of the provider’s tokens that holds the skierId, as digits or a number.',
  }),
  corsOrigins: setting(origins(), {
    name: 'CORS_ORIGINS',
    default: '',
    processes: ['rides', 'up'],
    describe:
      'The web origins whose pages may read `/v1` and the SkiDataAPI, with commas between them, or `*`; none unless set. Only reads: gates are no browsers.',
  }),
  liveListeners: setting(whole(0, 1_000_000), {
    name: 'LIVE_LISTENERS',
    default: '10000',
    unit: 'listeners',
    processes: ['rides', 'up'],
    describe: 'How many may listen to `/live` at one process at once; more are answered 503.',
  }),
  cacheMb: setting(whole(0, 65_536), {
    name: 'CACHE_MB',
    default: '64',
    unit: 'MB',
    processes: ['rides', 'up'],
    describe: 'Memory of one process for answers that it keeps until something changes them; 0 keeps none.',
  }),
  cacheUrl: setting(url('redis', 'rediss'), {
    name: 'CACHE_URL',
    default: undefined,
    processes: ['rides', 'up'],
    isSecret: true,
    describe:
      'A Redis with a policy that evicts, which the processes share as a second tier of that cache; none unless set. Not the queue’s, which must never evict.',
  }),
} as const;
