import type { LaneBooks } from '../ops/conservation.ts';
import type { PipelineState } from '../ops/pipeline.ts';
import { type Finding, fail, ok, warn } from './doctor-finding.ts';

/** Whether what was enqueued adds up, and whether anything waits for an operator's decision. */
export function judgeBooks({ books, nodes }: PipelineState): Finding[] {
  return [judgeSums(books), judgeDeadLetters(nodes)];
}

function judgeSums(books: PipelineState['books']): Finding {
  if (!books) return warn('sums', 'can not be added up', 'the queue and every node must answer');
  const unaccounted = books.filter(({ jobsUnaccounted }) => (jobsUnaccounted ?? 0) > 0);
  if (unaccounted.length > 0) {
    const lanes = unaccounted.map(({ lane, jobsUnaccounted }) => `${jobsUnaccounted} in lane ${lane}`).join(', ');
    return fail(
      'sums',
      `queue and ledgers differ about jobs: ${lanes}`,
      'expected after a restore from a backup, by what it did not hold; otherwise find out why before anything else',
    );
  }
  const deep = books.filter(({ jobsUnaccounted }) => jobsUnaccounted === null).map(({ lane }) => lane);
  if (deep.length > 0) return warn('sums', `lane ${deep.join(', ')} is too deep to be counted`, 'start more workers');
  const sum = (of: (lane: LaneBooks) => number) => books.reduce((total, lane) => total + of(lane), 0);
  return ok(
    'sums',
    `${sum(({ enqueued }) => enqueued)} enqueued = ${sum(({ persisted }) => persisted)} persisted + ${sum(
      ({ duplicate }) => duplicate,
    )} duplicate + ${sum(({ dead }) => dead)} dead + ${sum(({ inFlight }) => inFlight)} in flight`,
  );
}

function judgeDeadLetters(nodes: PipelineState['nodes']): Finding {
  const count = nodes.reduce((total, { ledger }) => total + (ledger?.deadLetters ?? 0), 0);
  return count === 0
    ? ok('dead letters', 'none')
    : warn('dead letters', `${count} wait for a decision`, 'liftline dead list, then replay or discard');
}
