import { Command } from 'commander';
import { withDirectory } from '../directory/database.ts';
import { staticDirectory } from '../directory/follower.ts';
import { readSnapshot } from '../directory/load-snapshot.ts';
import { pendingDirectoryMigrations } from '../directory/migrate.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import { createPipeline } from '../ops/pipeline.ts';
import { loadConfig, type ProcessName } from '../platform/config.ts';
import { openBacklog } from '../queue/backlog-reader.ts';
import { openReadNodes } from '../shards/read-nodes.ts';
import { judgeBooks } from './doctor-books.ts';
import { checkCache } from './doctor-cache.ts';
import { judgeServer, onDatabase, readServerFacts, type ServerFacts } from './doctor-database.ts';
import { attempt, type Finding, fail, ok, onceAServer, showFindings } from './doctor-finding.ts';
import { checkIdentityProvider } from './doctor-identity.ts';
import { checkDisk, checkNode, checkPort, checkSettings } from './doctor-local.ts';
import { checkNodes } from './doctor-nodes.ts';
import { checkQueue } from './doctor-queue.ts';
import { readCredentials } from './home.ts';
import { findDirectoryUrl, findQueue, homeFolder, readRunning } from './operator.ts';
import { type CommandContext, runCommand } from './run-command.ts';

const TIMEOUT_MS = 5_000;
/** A directory takes three connections of each process. */
const DIRECTORY_POOL = 3;

/** `liftline doctor`: looks at everything that a Liftline stands on, and says what to do. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check every dependency and print what to fix; exit code 1 when a check fails')
    .option('--json', 'as JSON')
    .action((flags: { json?: true }) =>
      runCommand(async (context) => {
        // what is away is a finding, and needs no lines of a log besides
        const findings = await examine({ ...context, logger: context.logger.child({}, { level: 'error' }) });
        process.stdout.write(flags.json ? `${JSON.stringify({ findings }, null, 2)}\n` : showFindings(findings));
        if (findings.some(({ status }) => status === 'fail')) process.exitCode = 1;
      }),
    );
}

async function examine(context: CommandContext): Promise<Finding[]> {
  const local = [checkNode(process.versions.node), ...checkSettings(process.env, processesHere())];
  if (local.some(({ check, status }) => check === 'settings' && status === 'fail')) return local;
  const port = await attempt('port', 'stop up and start it again, which writes it anew', examinePort);
  const home = process.env.DIRECTORY_URL ? [] : await checkDisk('disk of LIFTLINE_HOME', homeFolder());
  const identity = await checkIdentityProvider(process.env.TOKEN_JWKS_URL);
  const found: DirectorySnapshot[] = [];
  const directory = await attempt('directory', 'start it, or set DIRECTORY_URL', async () => {
    const { findings, snapshot } = await examineDirectory(await findDirectoryUrl());
    if (snapshot) found.push(snapshot);
    return findings;
  });
  const [snapshot] = found;
  const rest = snapshot ? await examineData(snapshot, context) : [];
  return onceAServer([...local, ...port, ...home, ...identity, ...directory, ...rest]);
}

/** Without a directory of its own the environment is that of an `up`. */
function processesHere(): readonly ProcessName[] | undefined {
  return process.env.DIRECTORY_URL ? undefined : ['up'];
}

/** The credentials outlive their `up`: only of one that runs they say where it listens. */
async function examinePort(): Promise<Finding[]> {
  const { host, port } = loadConfig({ HOST: process.env.HOST, PORT: process.env.PORT }, 'up');
  const isUp = !process.env.DIRECTORY_URL && (await readRunning()) !== undefined;
  const credentials = isUp ? await readCredentials(homeFolder()) : undefined;
  return [await checkPort({ host, port, url: credentials?.baseUrl })];
}

async function examineDirectory(url: string): Promise<{ findings: Finding[]; snapshot?: DirectorySnapshot }> {
  const { pending, facts } = await onDatabase(url, async (sql) => ({
    pending: await pendingDirectoryMigrations(sql),
    facts: await readServerFacts(sql),
  }));
  const server = await judgeServer(url, facts, { pool: DIRECTORY_POOL });
  if (pending.length > 0) {
    const lacking = fail('directory', `its tables lack ${pending.join(', ')}`, 'run liftline init with all nodes');
    return { findings: [lacking, ...server] };
  }
  const snapshot = await withDirectory(url, (directory) => directory.read(readSnapshot));
  const { version, nodes, resorts } = snapshot;
  const detail = `answers, is up to date at version ${version}: ${nodes.size} nodes, ${resorts.size} resorts`;
  return { findings: [ok('directory', detail), ...server], snapshot };
}

async function examineData(snapshot: DirectorySnapshot, context: CommandContext): Promise<Finding[]> {
  const nodes = await checkNodes(snapshot);
  const queue = await attempt('queue', 'set QUEUE_URL', () => examineQueue(snapshot, context));
  return [...nodes.findings, ...(await judgeServers(nodes.servers)), ...queue];
}

/** Nodes that share a server are one server. */
async function judgeServers(servers: Map<string, ServerFacts>): Promise<Finding[]> {
  const { nodePool } = loadConfig({ NODE_POOL: process.env.NODE_POOL }, 'up');
  const byHost = new Map([...servers].map(([url, facts]) => [new URL(url).host, { url, facts }]));
  const findings = [...byHost.values()].map(({ url, facts }) => judgeServer(url, facts, { pool: nodePool }));
  return (await Promise.all(findings)).flat();
}

async function examineQueue(snapshot: DirectorySnapshot, context: CommandContext): Promise<Finding[]> {
  const address = await findQueue();
  const { laneCount } = snapshot;
  const { LOCK_MS, ADMIT_MEMORY_PERCENT } = process.env;
  const { lockMs, admitMemoryPercent } = loadConfig({ LOCK_MS, ADMIT_MEMORY_PERCENT }, 'up');
  const backlog = openBacklog({ ...address, laneCount, timeoutMs: TIMEOUT_MS, ...context });
  const nodes = openReadNodes({ poolSize: 1, timeoutMs: TIMEOUT_MS, ...context });
  const pipeline = createPipeline({ follower: staticDirectory(snapshot), backlog, nodes });
  const queue = await checkQueue({ address, backlog, config: { lockMs, admitMemoryPercent }, laneCount, ...context });
  const cache = await checkCache(process.env.CACHE_URL, address.queueUrl);
  return [...queue, ...cache, ...judgeBooks(await pipeline.read())];
}
