import type { ReadSide } from './read-side.ts';
import { until } from './until.ts';

/** What tests of kept answers ask. @param side which process is asked unless another one is named */
export function answersOf(side: () => ReadSide) {
  async function read(path: string, headers: Record<string, string> = {}, from = side()): Promise<Response> {
    const skierId = Number(/skiers\/(\d+)/.exec(path)?.[1] ?? 1);
    return from.get(path, { authorization: `Bearer ${await from.token(skierId)}`, ...headers });
  }

  /** @returns answers by where they came from, e.g. `skier hit` */
  async function sources(from = side()): Promise<Record<string, number>> {
    const lines = (await from.metrics()).matchAll(
      /^liftline_cache_answers_total\{kind="(\w+)",source="(\w+)"\} (\d+)$/gm,
    );
    const all = [...lines].map(([, kind, source, value]) => [`${kind} ${source}`, Number(value)] as const);
    return Object.fromEntries(all.filter(([, value]) => value > 0));
  }

  return {
    read,
    sources,
    rides: (skierId: number, from = side()) => read(`/v1/skiers/${skierId}/rides`, {}, from),
    /** @returns `rides` of a body: the rides, or how many they are */
    count: async (response: Promise<Response>) =>
      ((await (await response).json()) as { rides: unknown[] | number }).rides,
    /** Reads until an answer was kept and given again: the feed has begun. */
    untilKept: async (path: string, kind = 'skier', from = side()) => {
      await until('an answer is kept', async () => {
        await read(path, {}, from);
        return ((await sources(from))[`${kind} hit`] ?? 0) > 0;
      });
    },
  };
}
