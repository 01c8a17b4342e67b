import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sampleSnapshot } from '../../src/directory/sample-snapshot.ts';
import { staticDirectory } from '../../src/directory/follower.ts';
import { createAutoscale } from '../../src/ops/autoscale.ts';
import { loadConfig, type ProcessName } from '../../src/platform/config.ts';
import { probes } from '../../src/platform/http-common.ts';
import { Lifecycle } from '../../src/platform/lifecycle.ts';
import { openReadNodes } from '../../src/shards/read-nodes.ts';
import { recordedLog } from '../support/recorded-log.ts';
import {
  type Container,
  helpOf,
  type Manifest,
  manifests,
  manifestsIn,
  podOf,
  requiredSettings,
  settingNames,
} from './deploy-files.ts';

const APPLIED = manifests();
/** With secrets as an operator would make them. */
const ALL = [...APPLIED, ...manifestsIn('k8s-secret.example.yaml')];
const ofKind = (kind: string) => ALL.filter((entry) => entry.kind === kind);
const named = (kind: string, name: string): Manifest => {
  const found = ofKind(kind).find((entry) => entry.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const RUNNING = ofKind('Deployment');
const PROCESSES = ['edge', 'ops', 'rides', 'worker'];
const NODE = { name: 'node-1', url: 'postgres://node-1.example/one' };

/** What the environment of a container holds, by its ConfigMap and Secrets. */
function environmentOf({ envFrom }: Container): Record<string, string> {
  const data = z.looseObject({
    data: z.record(z.string(), z.string()).optional(),
    stringData: z.record(z.string(), z.string()).optional(),
  });
  const parts = envFrom.map(({ configMapRef, secretRef }) =>
    data.parse(configMapRef ? named('ConfigMap', configMapRef.name) : named('Secret', secretRef?.name ?? '')),
  );
  return Object.assign({}, ...parts.map((part) => ({ ...part.data, ...part.stringData }))) as Record<string, string>;
}

const mainOf = (deployment: Manifest) => podOf(deployment).spec.containers[0] as Container;

describe('the objects of deploy/k8s', () => {
  test('are in one namespace, and none is there twice', () => {
    const keys = ALL.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(keys).size).toBe(keys.length);
    const outside = ALL.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'liftline');
    expect(outside).toEqual([]);
    expect(RUNNING.map(({ metadata }) => metadata.name).toSorted()).toEqual(PROCESSES);
  });

  test('have no secrets among them: those of the example would replace the operator’s', () => {
    expect(APPLIED.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(ofKind('Secret').map(({ metadata }) => metadata.name)).toEqual(['liftline', 'liftline-nodes']);
  });

  test('are of the API versions that Kubernetes and KEDA have', () => {
    const versions = new Set(ALL.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
    expect([...versions].toSorted()).toEqual([
      'apps/v1 Deployment',
      'autoscaling/v2 HorizontalPodAutoscaler',
      'batch/v1 Job',
      'keda.sh/v1alpha1 ScaledObject',
      'keda.sh/v1alpha1 TriggerAuthentication',
      'policy/v1 PodDisruptionBudget',
      'v1 ConfigMap',
      'v1 Namespace',
      'v1 Secret',
      'v1 Service',
    ]);
  });

  test('all run the same image, none as root', () => {
    const images = [...RUNNING, ...ofKind('Job')].flatMap((entry) =>
      podOf(entry).spec.containers.map(({ image }) => image),
    );
    expect([...new Set(images)]).toEqual(['liftline:0.1.0']);
  });

  test('select the pods that are there', () => {
    const selector = z.looseObject({
      spec: z.looseObject({ selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()).optional() }) }),
    });
    for (const entry of [...RUNNING, ...ofKind('Service'), ...ofKind('PodDisruptionBudget')]) {
      const { selector: found } = selector.parse(entry).spec;
      expect(podOf(named('Deployment', entry.metadata.name)).labels).toMatchObject(found.matchLabels ?? found);
    }
    const target = z.looseObject({
      spec: z.looseObject({ scaleTargetRef: z.object({ kind: z.string(), name: z.string(), apiVersion: z.string() }) }),
    });
    for (const entry of [...ofKind('HorizontalPodAutoscaler'), ...ofKind('ScaledObject')]) {
      const { kind, name } = target.parse(entry).spec.scaleTargetRef;
      expect(named(kind, name).spec).not.toHaveProperty('replicas'); // two would fight over it
    }
  });
});

describe.each(RUNNING.map((entry) => [entry.metadata.name, entry] as const))('%s', (name, deployment) => {
  const main = mainOf(deployment);
  const environment = environmentOf(main);

  test('runs a command that there is, with settings that there are', () => {
    expect(main.args).toEqual([name]);
    const known = settingNames(...PROCESSES, 'workers');
    expect(Object.keys(environment).filter((key) => !known.has(key))).toEqual([]);
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(requiredSettings(name)));
    expect(() => loadConfig(environment, name as ProcessName)).not.toThrow();
  });

  test('listens where its probes ask, on paths that a process answers', async () => {
    const app = probes({ ready: () => true, metrics: () => Promise.resolve('') });
    for (const probe of [main.livenessProbe, main.readinessProbe]) {
      const port = main.ports?.find((entry) => entry.name === probe?.httpGet.port);
      expect(String(port?.containerPort)).toBe(environment.PORT);
      expect((await app.request(probe?.httpGet.path ?? '')).status).toBe(200);
    }
    expect(main.livenessProbe?.httpGet.path).toBe('/healthz');
    expect(main.readinessProbe?.httpGet.path).toBe('/readyz');
    expect(environment.HOST).toBe('0.0.0.0');
  });

  test('has more time to stop than it takes', () => {
    const config = loadConfig(environment, name as ProcessName);
    const graceMs = (podOf(deployment).spec.terminationGracePeriodSeconds ?? 30) * 1_000;
    expect(graceMs).toBeGreaterThan(config.drainMs + config.leaveMs + 1_000);
  });
});

test('each Service leads to the port of its process', () => {
  const spec = z.looseObject({
    spec: z.looseObject({ ports: z.array(z.object({ name: z.string(), port: z.number(), targetPort: z.string() })) }),
  });
  for (const entry of ofKind('Service')) {
    const [port] = spec.parse(entry).spec.ports;
    expect(mainOf(named('Deployment', entry.metadata.name)).ports?.map(({ name }) => name)).toContain(port?.targetPort);
  }
});

test('init is a command with these options, and gets its variables', async () => {
  const [init] = podOf(named('Job', 'liftline-init')).spec.containers as [Container];
  const environment = environmentOf(init);
  expect(init.args[0]).toBe('init');
  const used = init.args.flatMap((arg) => [...arg.matchAll(/\$\((\w+)\)/g)].map(([, variable]) => variable));
  expect(used).toHaveLength(2);
  for (const variable of used) expect(environment[variable ?? '']).toMatch(/^postgres:\/\//);
  const help = await helpOf('init');
  for (const flag of init.args.filter((arg) => arg.startsWith('--'))) expect(help).toContain(flag);
}, 120_000);

describe('the scaler of the workers', () => {
  const trigger = z
    .looseObject({
      spec: z.looseObject({
        minReplicaCount: z.number(),
        maxReplicaCount: z.number(),
        fallback: z.object({ failureThreshold: z.number(), replicas: z.number(), behavior: z.string() }),
        triggers: z.tuple([
          z.object({
            type: z.literal('metrics-api'),
            metricType: z.literal('AverageValue'),
            metadata: z.object({
              url: z.url(),
              valueLocation: z.string(),
              targetValue: z.literal('1'),
              authMode: z.literal('bearer'),
            }),
            authenticationRef: z.object({ name: z.string() }),
          }),
        ]),
      }),
    })
    .parse(named('ScaledObject', 'worker')).spec;

  test('asks ops, at the path that it has, for a field that its answer has', async () => {
    const { url, valueLocation } = trigger.triggers[0].metadata;
    const { hostname, port, pathname } = new URL(url);
    expect(hostname).toBe('ops.liftline.svc.cluster.local');
    expect(Number(port)).toBe(8080);
    expect(pathname).toBe('/ops/autoscale');
    const { logger } = recordedLog();
    const lifecycle = new Lifecycle({ logger });
    const autoscale = createAutoscale({
      follower: staticDirectory({
        ...sampleSnapshot({ shardCount: 4, laneCount: 2, nodes: [NODE], devices: [] }),
        nodes: new Map(),
      }),
      backlog: { read: () => Promise.resolve([]) },
      nodes: openReadNodes({ poolSize: 1, timeoutMs: 500, logger, lifecycle }),
      ratePerS: 100,
      targetS: 5,
    });
    const answer: Record<string, unknown> = { ...(await autoscale.read()) };
    expect(answer[valueLocation]).toBe(1);
    await lifecycle.stop(1_000);
  });

  test('shows the admin key', () => {
    const auth = z
      .looseObject({
        spec: z.object({
          secretTargetRef: z.array(z.object({ parameter: z.string(), name: z.string(), key: z.string() })),
        }),
      })
      .parse(named('TriggerAuthentication', trigger.triggers[0].authenticationRef.name));
    const [reference] = auth.spec.secretTargetRef;
    expect(reference).toMatchObject({ parameter: 'token', key: 'ADMIN_KEY' });
    const secret = z
      .looseObject({ stringData: z.record(z.string(), z.string()) })
      .parse(named('Secret', reference?.name ?? ''));
    expect(secret.stringData).toHaveProperty('ADMIN_KEY');
  });

  test('keeps to bounds', () => {
    expect(trigger.minReplicaCount).toBeGreaterThanOrEqual(1);
    expect(trigger.maxReplicaCount).toBeGreaterThan(trigger.fallback.replicas);
  });
});
