import { registerHooks } from 'node:module';
import { type TestOptions, readOptions } from './options.ts';
import { Unsupported } from './unsupported.ts';

/** One call into a script, with what `setup` returned. */
export type ScriptFunction = (data: unknown) => unknown;

/** A loaded script: its options and its functions by export name. */
export interface Script {
  options: TestOptions;
  setup: ScriptFunction | undefined;
  teardown: ScriptFunction | undefined;
  /** by the `exec` of a scenario */
  iterations: ReadonlyMap<string, ScriptFunction>;
}

const MODULES = new Map(
  ['k6', 'k6/http', 'k6/metrics', 'k6/execution', 'k6/timers'].map((name) => [
    name,
    new URL(`./api/${name.replace(/^k6\//, '')}.ts`, import.meta.url).href,
  ]),
);

/**
 * Loads a script as k6 would, but with the stand-in's modules behind `k6` and `k6/...`. A module that it imports may be
 * one of those or a file of its own.
 *
 * @param env what the script finds in `__ENV`
 * @throws Unsupported for an import, an export or an option that the stand-in doesn't have
 */
export async function loadScript(url: URL, env: Readonly<Record<string, string>>): Promise<Script> {
  Object.defineProperty(globalThis, '__ENV', { value: env, configurable: true });
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const module = MODULES.get(specifier);
      if (module) return { url: module, shortCircuit: true };
      const isOfOurs = context.parentURL?.startsWith(new URL('.', import.meta.url).href) ?? true;
      const isFile = /^(\.{0,2}\/|file:)/.test(specifier);
      if (!isOfOurs && !isFile) throw new Unsupported(`the module "${specifier}"`);
      return next(specifier, context);
    },
  });
  try {
    return readExports((await import(url.href)) as Record<string, unknown>);
  } catch (error) {
    const missing = /module '(k6[^']*)' does not provide an export named '([^']*)'/.exec(String(error));
    throw missing ? new Unsupported(`"${missing[2]}" of "${missing[1]}"`) : error;
  } finally {
    hooks.deregister();
  }
}

function readExports(module: Record<string, unknown>): Script {
  const { options: declared, setup, teardown, handleSummary, ...rest } = module;
  if (handleSummary !== undefined) throw new Unsupported('handleSummary');
  const options = readOptions(declared);
  const iterations = new Map<string, ScriptFunction>();
  for (const { name, exec } of options.scenarios) {
    const iteration = asFunction(rest[exec]);
    if (!iteration) throw new Error(`scenario ${name}: the script exports no function "${exec}"`);
    iterations.set(exec, iteration);
  }
  return { options, setup: asFunction(setup), teardown: asFunction(teardown), iterations };
}

function asFunction(value: unknown): ScriptFunction | undefined {
  return typeof value === 'function' ? (value as ScriptFunction) : undefined;
}
