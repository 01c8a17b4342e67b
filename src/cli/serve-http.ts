import type { Hono } from 'hono';
import { type DirectoryFollower, followDirectory } from '../directory/follower.ts';
import type { DirectorySnapshot } from '../directory/snapshot.ts';
import type { HttpEnv } from '../platform/http-common.ts';
import { listen } from '../platform/http-server.ts';
import { Lifecycle } from '../platform/lifecycle.ts';
import { createHttpApp, replaceableApp } from './http-app.ts';
import type { ProcessContext } from './run-process.ts';

/** What a process serves once the directory has answered. */
export interface HttpParts {
  apps: Hono<HttpEnv>[];
  /** true, or what is missing now */
  ready: () => true | string;
}

export interface ServeHttpOptions {
  name: string;
  /** opens what the apps stand on, and makes them */
  build: (directory: DirectoryFollower, snapshot: DirectorySnapshot) => Promise<HttpParts>;
  metricsText?: () => Promise<string>;
}

const INTAKE_MS = 4_000;

/**
 * The frame of an HTTP process: it listens at once, answers 503 and is not ready while the directory is away at its
 * start, and then serves what `build` makes.
 */
export async function serveHttp(context: ProcessContext, o: ServeHttpOptions): Promise<{ url: string }> {
  const { config, logger, lifecycle, metrics } = context;
  const common = {
    metrics,
    logger,
    pathPrefix: config.pathPrefix,
    ...(o.metricsText === undefined ? {} : { metricsText: o.metricsText }),
  };
  const app = replaceableApp(createHttpApp({ ...common, apps: [], ready: () => 'waiting for the directory' }));
  const intake = new Lifecycle({ logger });
  const { url } = await listen(app, { ...config, logger, lifecycle: intake, name: o.name });
  const stopIntake = () => intake.stop(INTAKE_MS);
  lifecycle.onStop('intake', stopIntake);

  const directory = await followDirectory({
    url: config.directoryUrl,
    logger,
    pollMs: config.directoryPollMs,
    lifecycle,
  });
  const parts = await o.build(directory, await firstSnapshot(directory));
  app.replace(createHttpApp({ ...common, ...parts }));
  lifecycle.onStop('intake', stopIntake); // opened before all that it feeds, and yet the first to close
  logger.info({ url }, `${o.name} is ready`);
  return { url };
}

/** Waits for the directory as long as it takes; it is the follower that says so in the log. */
export function firstSnapshot(directory: DirectoryFollower): Promise<DirectorySnapshot> {
  if (directory.hasSnapshot()) return Promise.resolve(directory.snapshot());
  return new Promise((resolve) => directory.onChange(resolve));
}
