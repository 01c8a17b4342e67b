/** The script uses something of k6 that the stand-in does not have. Running on would measure something else, so the run ends. */
export class Unsupported extends Error {
  override name = 'Unsupported';
  constructor(what: string) {
    super(`${what} is not part of the k6 stand-in (loadtest/k6-on-node); a real k6 may know it`);
  }
}

/**
 * @param target what a script gets to see
 * @param name of it, in the message
 * @returns the same, except that asking for a property that it lacks throws {@link Unsupported} instead of giving undefined
 */
export function strict<T extends object>(target: T, name: string): T {
  return new Proxy(target, {
    get(of, property) {
      // promises ask everything for `then`
      if (property in of || typeof property === 'symbol' || property === 'then') return Reflect.get(of, property);
      throw new Unsupported(`${name}.${property}`);
    },
  });
}
