import { setTimeout as delay } from 'node:timers/promises';
import type { Hono } from 'hono';
import { type DirectoryFollower, followDirectory } from '../directory/follower.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { type AnswerAtOnce, checkPortIsFree, listen } from '../platform/http-server.ts';
import { Lifecycle } from '../platform/lifecycle.ts';
import { createHttpApp, replaceableApp } from './http-app.ts';
import type { ProcessContext } from './run-process.ts';

/** What a process serves once the directory has answered. */
export interface HttpParts {
  apps: Hono<HttpEnv>[];
  /** true, or what is missing now */
  ready: () => true | string;
  atOnce?: AnswerAtOnce | undefined;
  /** ends what would not end by itself when the process stops */
  endStreams?: (() => void) | undefined;
}

export interface ServeHttpOptions {
  name: string;
  /** opens what the apps stand on, and makes them */
  build: (directory: DirectoryFollower, snapshot: DirectorySnapshot) => Promise<HttpParts>;
  metricsText?: () => Promise<string>;
  /** how long it still serves when it was told to stop, milliseconds; not at all unless given */
  leaveMs?: number;
}

/** For running requests, after the leave. */
const INTAKE_MS = 4_000;
/** How long a process that starts is silent: a load balancer without health checks sends requests to whatever listens. */
const SILENT_START_MS = 10_000;

/**
 * The frame of an HTTP process. It listens as soon as it can serve what `build` makes; when that takes longer, because the
 * directory is away, it listens all the same, answers 503 and is not ready.
 */
export async function serveHttp(context: ProcessContext, o: ServeHttpOptions): Promise<{ url: string }> {
  const { config, logger, lifecycle, metrics } = context;
  await checkPortIsFree(config.host, config.port);
  const common = {
    metrics,
    logger,
    pathPrefix: config.pathPrefix,
    ...(o.metricsText === undefined ? {} : { metricsText: o.metricsText }),
  };
  const app = replaceableApp(createHttpApp({ ...common, apps: [], ready: () => 'waiting for the directory' }));
  const intake = new Lifecycle({ logger });
  let endStreams: (() => void) | undefined;
  const build = async () => {
    const parts = await open(context, o);
    ({ endStreams } = parts);
    const ready = () => (intake.isStopping ? 'it was told to stop' : parts.ready());
    app.replace(createHttpApp({ ...common, ...parts, ready }), parts.atOnce);
  };
  const built = build();
  await Promise.race([built, delay(SILENT_START_MS, undefined, { ref: false })]);

  const leaveMs = o.leaveMs ?? 0;
  const { url } = await listen(app, {
    ...config,
    leaveMs,
    endStreams: () => endStreams?.(),
    logger,
    lifecycle: intake,
    name: o.name,
  });
  const stopIntake = () => intake.stop(leaveMs + INTAKE_MS);
  lifecycle.onStop('intake', stopIntake);
  await built;
  lifecycle.onStop('intake', stopIntake); // it may have been opened before all that it feeds, and yet is the first to close
  logger.info({ url }, `${o.name} is ready`);
  return { url };
}

async function open({ config, logger, lifecycle }: ProcessContext, o: ServeHttpOptions): Promise<HttpParts> {
  const directory = await followDirectory({
    url: config.directoryUrl,
    logger,
    pollMs: config.directoryPollMs,
    process: o.name,
    lifecycle,
  });
  return o.build(directory, await firstSnapshot(directory));
}

/** Waits for the directory as long as it takes; it is the follower that says so in the log. */
export function firstSnapshot(directory: DirectoryFollower): Promise<DirectorySnapshot> {
  if (directory.hasSnapshot()) return Promise.resolve(directory.snapshot());
  return new Promise((resolve) => directory.onChange(resolve));
}
