import { describe, expect, test } from 'vitest';
import { bearerOf } from '../../src/platform/credentials.ts';
import { ConfigError, loadConfig, type ProcessName, SETTINGS } from '../../src/platform/config.ts';

const RIDES = {
  DIRECTORY_URL: 'postgres://localhost/directory',
  TOKEN_SECRET: 's'.repeat(32),
  ADMIN_KEY: 'a'.repeat(20),
};
const WORKER = { DIRECTORY_URL: 'postgres://localhost/directory', QUEUE_URL: 'redis://localhost:6379' };

function problemsOf(env: Record<string, string>, process: ProcessName): string[] {
  try {
    loadConfig(env, process);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('the configuration', () => {
  test('has defaults, parsed like given values', () => {
    const config = loadConfig(RIDES, 'rides');
    expect(config).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
      skiDataApi: 'keys',
      nodeTimeoutMs: 1500,
      pathPrefix: '',
    });
    expect(config.directoryUrl).toBe(RIDES.DIRECTORY_URL);
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('takes what is given, and nothing for what is given as nothing', () => {
    expect(loadConfig({ ...RIDES, PORT: '9000', HOST: '', PATH_PREFIX: '/Server_war' }, 'rides')).toMatchObject({
      port: 9000,
      host: '127.0.0.1',
      pathPrefix: '/Server_war',
    });
  });

  test('reports everything that is wrong at once, with its name', () => {
    const problems = problemsOf({ PORT: 'eighty', QUEUE_URL: 'amqp://nowhere', SKI_DATA_API: 'maybe' }, 'edge');
    expect(problems).toHaveLength(4);
    for (const name of ['PORT', 'QUEUE_URL', 'SKI_DATA_API', 'DIRECTORY_URL']) {
      expect(problems.filter((problem) => problem.startsWith(name))).toHaveLength(1);
    }
  });

  test('never shows a secret', () => {
    const env = { TOKEN_SECRET: 'sesame', ADMIN_KEY: 'sesame', DIRECTORY_URL: 'mysql://a:sesame@h/d' };
    const problems = problemsOf(env, 'rides');
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('sesame');
  });

  test.each(['a'.repeat(20), 'AZaz09-._~+/AZaz09-._~+/==', `ll_adm_${'k'.repeat(43)}`])(
    'takes an admin key that a bearer can carry: %s',
    (key) => {
      expect(loadConfig({ ...RIDES, ADMIN_KEY: key }, 'rides').adminKey).toBe(key);
      expect(bearerOf(`Bearer ${key}`)).toBe(key);
    },
  );

  test.each(['correct horse battery staple!', `${'a'.repeat(20)}\n`, 'schlüssel-der-betreiber', `${'a'.repeat(20)}=b`])(
    'refuses an admin key that no bearer carries: %j',
    (key) => {
      expect(problemsOf({ ...RIDES, ADMIN_KEY: key }, 'rides')).toEqual([
        'ADMIN_KEY must be at least 20 characters long, of letters, digits and - . _ ~ + / alone (= at its end)',
      ]);
      expect(() => bearerOf(`Bearer ${key}`)).toThrow('not Bearer and one token');
    },
  );

  test.each([
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', '0x50'],
    ['PATH_PREFIX', 'Server_war'],
    ['PATH_PREFIX', '/Server_war/'],
    ['NODE_TIMEOUT_MS', '2000'],
    ['LOG_LEVEL', 'loud'],
    ['DRAIN_MS', ' 8000'],
  ])('refuses %s=%j', (name, value) => {
    expect(problemsOf({ ...RIDES, [name]: value }, 'rides')).toHaveLength(1);
  });

  describe('of an identity provider', () => {
    const { TOKEN_SECRET: _none, ...BARE } = RIDES;
    const PROVIDER = {
      TOKEN_JWKS_URL: 'https://id.example/keys',
      TOKEN_ISSUER: 'https://id.example/',
      TOKEN_AUDIENCE: 'phone, tablet',
    };

    test('takes the place of TOKEN_SECRET, or stands beside it', () => {
      expect(loadConfig({ ...BARE, ...PROVIDER }, 'rides')).toMatchObject({
        tokenSecret: '',
        tokenJwksUrl: 'https://id.example/keys',
        tokenAudiences: ['phone', 'tablet'],
        tokenSkierClaim: 'sub',
      });
      expect(loadConfig({ ...RIDES, ...PROVIDER }, 'rides').tokenSecret).toBe(RIDES.TOKEN_SECRET);
      expect(problemsOf(BARE, 'rides')).toEqual([
        'TOKEN_SECRET must be set: at least 32 characters long, or TOKEN_JWKS_URL',
      ]);
    });

    test('is whole, or not there', () => {
      const { TOKEN_JWKS_URL } = PROVIDER;
      expect(problemsOf({ ...BARE, TOKEN_JWKS_URL }, 'rides')).toEqual([
        'TOKEN_JWKS_URL needs TOKEN_ISSUER, which is not set',
        'TOKEN_JWKS_URL needs TOKEN_AUDIENCE, which is not set',
      ]);
      expect(problemsOf({ ...RIDES, TOKEN_ISSUER: 'https://id.example/' }, 'rides')).toEqual([
        'TOKEN_ISSUER needs TOKEN_JWKS_URL, which is not set',
      ]);
    });

    test.each(['http://id.example/keys', 'http://127.0.0.2.example/keys', 'ftp://id.example/keys', 'id.example/keys'])(
      'is asked over https: %s is refused',
      (url) => {
        expect(problemsOf({ ...BARE, ...PROVIDER, TOKEN_JWKS_URL: url }, 'rides')).toHaveLength(1);
      },
    );

    test.each(['http://127.0.0.1:9000/keys', 'http://localhost/keys', 'http://[::1]:9000/keys'])(
      'may be on this machine: %s',
      (url) => {
        expect(problemsOf({ ...BARE, ...PROVIDER, TOKEN_JWKS_URL: url }, 'rides')).toEqual([]);
      },
    );
  });

  test.each<[string, string[]]>([
    ['', []],
    ['*', ['*']],
    ['https://app.example', ['https://app.example']],
    ['https://app.example, http://localhost:5173', ['https://app.example', 'http://localhost:5173']],
    ['capacitor://localhost', ['capacitor://localhost']],
  ])('reads CORS_ORIGINS=%j', (value, origins) => {
    expect(loadConfig({ ...RIDES, CORS_ORIGINS: value }, 'rides').corsOrigins).toEqual(origins);
  });

  test.each([
    'https://app.example/',
    'https://APP.example',
    'https://app.example:443',
    'https://*.example',
    'https://app.example,*',
    'https://a.example,,https://b.example',
    'app.example',
    'null',
  ])('refuses CORS_ORIGINS=%j', (value) => {
    expect(problemsOf({ ...RIDES, CORS_ORIGINS: value }, 'rides')).toHaveLength(1);
  });

  test('looks only at what the process has', () => {
    expect(problemsOf({ ...RIDES, LANES: 'all', QUEUE_URL: 'amqp://nowhere' }, 'rides')).toEqual([]);
  });

  test('a worker takes lanes, and serves probes only where it is told to', () => {
    expect(loadConfig(WORKER, 'worker')).toMatchObject({ workerLanes: [], probePort: undefined });
    expect(loadConfig({ ...WORKER, LANES: '0,2,2', PORT: '9100' }, 'worker')).toMatchObject({
      workerLanes: [0, 2],
      probePort: 9100,
    });
    expect(problemsOf({ ...WORKER, LANES: '0;2' }, 'worker')).toHaveLength(1);
  });

  test('checks pairs: jobs of dead workers are looked for more often than locks end', () => {
    expect(problemsOf({ ...WORKER, LOCK_MS: '4000', STALL_CHECK_MS: '4000' }, 'worker')).toEqual([
      'STALL_CHECK_MS (4000) must be less than LOCK_MS (4000)',
    ]);
  });

  test('STUCK_MS leaves time for a try that times out and the pause after it', () => {
    expect(problemsOf({ ...WORKER, STATEMENT_TIMEOUT_MS: '10000', STUCK_MS: '13999' }, 'worker')).toEqual([
      'STUCK_MS (13999) must be 14000 or more, STATEMENT_TIMEOUT_MS and the time to the next try',
    ]);
    expect(loadConfig({ ...WORKER, STATEMENT_TIMEOUT_MS: '10000', STUCK_MS: '14000' }, 'worker').stuckMs).toBe(14_000);
  });

  test('the supervisor of a pool reads what its workers read, and its own', () => {
    expect(
      loadConfig({ ...WORKER, LOCK_MS: '4000', STALL_CHECK_MS: '1000', POOL_QUIET_MS: '2000' }, 'workers'),
    ).toMatchObject({
      lockMs: 4_000,
      poolQuietMs: 2_000,
    });
    expect(problemsOf({}, 'workers').map((problem) => problem.split(' ')[0])).toEqual(['DIRECTORY_URL', 'QUEUE_URL']);
  });

  test('starts the all-in-one without any variable', () => {
    expect(loadConfig({}, 'up')).toMatchObject({ port: 8080, workers: 2, home: '.liftline' });
  });

  test('names no variable twice for one process', () => {
    for (const process of ['edge', 'rides', 'ops', 'worker', 'up'] as const) {
      const names = Object.values(SETTINGS).flatMap(({ name, processes }) =>
        processes.some((p) => p === process) ? [name] : [],
      );
      expect(new Set(names).size).toBe(names.length);
    }
  });
});
