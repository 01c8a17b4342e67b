import { registerHooks } from 'node:module';

/**
 * Lets every import of drizzle-orm find its CommonJS build. The ES modules of 0.45 are hundreds of files that import each
 * other in cycles: loading them costs a process on Node 24 a second and about 100 MB that it never gives back, the same
 * code as CommonJS a tenth of that (`/usr/bin/time -v` on a file that imports `drizzle-orm/pg-core` shows both).
 * To be called before anything imports drizzle.
 */
export function preferLeanDrizzle(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith('drizzle-orm')
        ? next(specifier, {
            ...context,
            conditions: context.conditions.map((name) => (name === 'import' ? 'require' : name)),
          })
        : next(specifier, context),
  });
}
