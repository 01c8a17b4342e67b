import { z } from 'zod';
import type { Random } from '../../src/simulator/random.ts';
import type { Answer } from './acks.ts';
import { resortDaySubject, skierSubject } from './subjects.ts';

/** What a reader asks of a subject, and how its answer says what it holds. */
export interface Question {
  path: string;
  subject: string;
  read: (content: unknown) => Answer['holds'];
}

/** What there is at most in one answer; of a history with more this reader would not see all, and could judge nothing. */
export const MOST_RIDES = 200;
const DAY_MS = 86_400_000;

const onePage = { nextCursor: z.null() };
const rides = z.object({ ...onePage, rides: z.array(z.object({ eventId: z.string() })) });
const days = z.object({ ...onePage, days: z.array(z.object({ rides: z.int() })) });
const seasons = z.object({ seasons: z.array(z.object({ rides: z.int() })) });
const resortDay = z.object({ rides: z.int() });

const sum = (of: readonly { rides: number }[]) => of.reduce((total, one) => total + one.rides, 0);

/** The first of them names every ride, the others only count. */
function ofSkier(skierId: number): [Question, ...Question[]] {
  const subject = skierSubject(skierId);
  const path = `/v1/skiers/${skierId}`;
  return [
    {
      path: `${path}/rides?limit=${MOST_RIDES}`,
      subject,
      read: (content) => rides.parse(content).rides.map(({ eventId }) => eventId),
    },
    { path: `${path}/days?limit=${MOST_RIDES}`, subject, read: (content) => sum(days.parse(content).days) },
    { path: `${path}/seasons`, subject, read: (content) => sum(seasons.parse(content).seasons) },
  ];
}

function ofResortDay(subject: string): Question {
  const [, resortId, , date] = subject.split(' ');
  return {
    path: `/v1/resorts/${resortId}/days/${date}`,
    subject,
    read: (content) => resortDay.parse(content).rides,
  };
}

/** @returns the question that tells most of a subject */
export function questionOf(subject: string): Question {
  const [kind, id] = subject.split(' ');
  return kind === 'skier' ? ofSkier(Number(id))[0] : ofResortDay(subject);
}

const RIDES_SHARE = 0.6;
const RESORTS_SHARE = 0.15;

/** @param skiers numbered from 1; @param resorts likewise */
export function* questions(random: Random, o: { skiers: number; resorts: number }): Generator<Question, never> {
  for (;;) {
    const choice = random.next();
    if (choice < RESORTS_SHARE) {
      const at = Date.now() - random.between(0, DAY_MS);
      yield ofResortDay(resortDaySubject(random.between(1, o.resorts), at));
      continue;
    }
    const [list, ...counts] = ofSkier(random.between(1, o.skiers));
    yield choice < RESORTS_SHARE + RIDES_SHARE ? list : random.pick(counts);
  }
}
