/** The addresses that pages link to, relative to the page that they stand on: they also work behind a prefix. */
export interface Links {
  season(season?: number): string;
  day(date: string): string;
  resorts: string;
  resort(resortId: number, date?: string): string;
  signIn: string;
  signOut: string;
  live: string;
  /** @param name as it is served, with its hash */
  asset(name: string): string;
}

/** @param path of the page, as the app sees it: `/app/days/2026-01-31` */
export function linksFrom(path: string): Links {
  const depth = path.split('/').length - 2;
  const root = depth === 0 ? './' : '../'.repeat(depth);
  return {
    season: (season) => `${root}app${season === undefined ? '' : `?season=${season}`}`,
    day: (date) => `${root}app/days/${date}`,
    resorts: `${root}app/resorts`,
    resort: (resortId, date) => `${root}resorts/${resortId}${date === undefined ? '' : `?date=${date}`}`,
    signIn: `${root}app/sign-in`,
    signOut: `${root}app/sign-out`,
    live: `${root}app/live`,
    asset: (name) => `${root}app/assets/${name}`,
  };
}
