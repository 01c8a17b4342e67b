// The house rule, in one place: domain ◀ platform ◀ directory, queue, shards ◀ edge, rides, ops, workers ◀ entrypoints.
const rooms = [
  'domain',
  'platform',
  'directory',
  'queue',
  'shards',
  'edge',
  'rides',
  'ops',
  'simulator',
  'client',
  'cli',
];
/** @param {string} room @param {string[]} allowed */
const only = (room, allowed) => ({
  name: `${room}-imports-only-below-itself`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^(src|workers)/', pathNot: [room, ...allowed].map((r) => `^src/${r}/`) },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('domain', []),
    only('platform', ['domain']),
    only('directory', ['domain', 'platform']),
    only('queue', ['domain', 'platform']),
    only('shards', ['domain', 'platform', 'directory', 'queue']),
    only('edge', ['domain', 'platform', 'directory', 'queue']),
    only('rides', ['domain', 'platform', 'directory', 'shards']),
    only('ops', ['domain', 'platform', 'directory', 'queue', 'shards']),
    only('simulator', ['domain', 'platform']),
    only('client', []),
    {
      name: 'workers-import-only-below-themselves',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^src/', pathNot: ['domain', 'platform', 'directory', 'queue', 'shards'].map((r) => `^src/${r}/`) },
    },
    {
      name: 'domain-is-pure',
      comment: 'no I/O, clock, environment or framework: node:crypto (hashing) and the calendar library only',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { dependencyTypesNot: ['local'], pathNot: ['^node_modules/temporal-polyfill', '^(node:)?crypto$'] },
    },
    {
      name: 'every-room-is-known',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: rooms.map((r) => `^src/${r}/`) },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
