import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { SETTINGS, type Setting } from '../../src/platform/settings.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const DEPLOY = path.join(ROOT, 'deploy');

const labels = z.record(z.string(), z.string());
const httpProbe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  envFrom: z.array(
    z.object({
      configMapRef: z.object({ name: z.string() }).optional(),
      secretRef: z.object({ name: z.string() }).optional(),
    }),
  ),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).optional(),
  livenessProbe: httpProbe.optional(),
  readinessProbe: httpProbe.optional(),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
});
const podSpec = z.object({
  terminationGracePeriodSeconds: z.number().optional(),
  securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number().min(1) }),
  containers: z.array(container).min(1),
});
export type Container = z.infer<typeof container>;
export type PodSpec = z.infer<typeof podSpec>;

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type Manifest = z.infer<typeof manifest>;

const withPods = z.object({
  spec: z.object({ template: z.object({ metadata: z.object({ labels }), spec: podSpec }) }),
});

/** Every object of `deploy/k8s`, which is applied as a whole; @throws as {@link manifestsIn} */
export function manifests(): Manifest[] {
  return readdirSync(path.join(DEPLOY, 'k8s')).flatMap((name) => manifestsIn(path.join('k8s', name)));
}

/** @param name of a file in `deploy`; @throws when it is no YAML, does not parse, or has a key twice */
export function manifestsIn(name: string): Manifest[] {
  if (!name.endsWith('.yaml')) throw new Error(`deploy/${name} is no manifest`);
  return parseAllDocuments(deployFile(name)).map((document) => {
    if (document.errors.length > 0) throw new Error(`${name}: ${document.errors.join(', ')}`);
    return manifest.parse(document.toJS());
  });
}

/** What a Deployment or a Job runs. */
export function podOf(of: Manifest): { labels: Record<string, string>; spec: PodSpec } {
  const { template } = withPods.parse(of).spec;
  return { labels: template.metadata.labels, spec: template.spec };
}

const service = z.looseObject({
  image: z.string(),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).optional(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  stop_grace_period: z.string().optional(),
  volumes: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
});
const compose = z.looseObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) });
export type Service = z.infer<typeof service>;

export function composeFile(): z.infer<typeof compose> {
  return compose.parse(parse(deployFile('compose.yaml'), { merge: true }));
}

export function deployFile(name: string): string {
  return readFileSync(path.join(DEPLOY, name), 'utf8');
}

/** The names of all settings of some processes. */
export function settingNames(...processes: string[]): Set<string> {
  const concerned = Object.values(SETTINGS).filter((setting: Setting<unknown>) =>
    setting.processes.some((name) => processes.includes(name)),
  );
  return new Set(concerned.map(({ name }) => name));
}

/** The names of the settings that a process does not start without. */
export function requiredSettings(process: string): string[] {
  const required = Object.values(SETTINGS).filter((setting: Setting<unknown>) =>
    setting.requiredBy?.some((name) => name === process),
  );
  return required.map(({ name }) => name);
}

/** What a command says of itself; @throws when there is no such command */
export async function helpOf(...command: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(path.join(ROOT, 'src/cli/liftline'), [...command, '--help']);
  if (!stdout.startsWith(['Usage: liftline', ...command].join(' ')))
    throw new Error(`there is no command ${command.join(' ')}`);
  return stdout;
}
