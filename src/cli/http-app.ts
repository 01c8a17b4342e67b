import { Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { Problem } from '../domain/problem.ts';
import { handleErrors, type HttpEnv, notFound, observe, probes, problemResponse } from '../platform/http-common.ts';
import type { AnswerAtOnce, ServedApp } from '../platform/http-server.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { apiDocs } from '../platform/openapi.ts';
import packageJson from '../../package.json' with { type: 'json' };

export interface HttpAppOptions {
  /** the rooms' apps that share the port; none while the process still starts */
  apps: Hono<HttpEnv>[];
  ready: () => true | string;
  metrics: Metrics;
  /** the Prometheus text, where it is more than this process's own */
  metricsText?: () => Promise<string>;
  logger: Logger;
  pathPrefix: string;
}

/** What every HTTP process serves: the rooms' routes under one error handler and one observer, probes and documentation. */
export function createHttpApp(o: HttpAppOptions): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.onError(handleErrors(o.logger));
  app.route('/', probes({ ready: o.ready, metrics: o.metricsText ?? (() => o.metrics.registry.metrics()) }));
  app.use(observe(o.metrics, o.logger));
  for (const part of o.apps) app.route('/', part);
  app.route('/', apiDocs({ of: app, version: packageJson.version, pathPrefix: o.pathPrefix }));
  app.notFound(o.apps.length > 0 ? notFound : notYet);
  return app;
}

function notYet(): Response {
  return problemResponse(new Problem('starting', 'waiting for the directory'), '');
}

/** An app that can be replaced while it is served, as a process has one before it is ready and another one after. */
export function replaceableApp(
  first: Hono<HttpEnv>,
): ServedApp & { replace(by: Hono<HttpEnv>, atOnce?: AnswerAtOnce): void } {
  let current = first;
  let quick: AnswerAtOnce | undefined;
  return {
    fetch: (request, env) => current.fetch(request, env as HttpBindings),
    atOnce: (incoming, outgoing) => quick?.(incoming, outgoing) ?? false,
    replace: (by, atOnce) => {
      current = by;
      quick = atOnce;
    },
  };
}
