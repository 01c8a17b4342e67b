import type { Difference } from '../simulator/comparison.ts';
import type { SimulationObserver, SimulationReport, SimulationState } from '../simulator/simulation.ts';

interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
}

const SHOWN_DIFFERENCES = 20;

/**
 * Progress as one line that is rewritten on a terminal, and as plain lines elsewhere. (listr2 shows tasks that end; this
 * is one that runs, with figures.)
 */
export function simulationView(out: Output): SimulationObserver & { end(): void } {
  let isOpen = false;
  const line = (text: string): void => {
    if (out.isTTY) out.write(`\r\u001b[2K${text}`);
    else out.write(`${text}\n`);
    isOpen = out.isTTY === true;
  };
  const end = (): void => {
    if (isOpen) out.write('\n');
    isOpen = false;
  };
  return {
    onPlanned({ resort, date, skiers, rides, speed, durationS }) {
      const pace = `${Math.round(speed)} times as fast as life`;
      out.write(
        `${resort.name} on ${date}: ${skiers} skiers, ${rides} rides, ${pace}; takes ${showDuration(durationS)}\n`,
      );
    },
    onProgress: (state) => line(stateLine(state)),
    onReadBack: (left) => line(`reading back: ${left} skiers left`),
    end,
  };
}

function stateLine(state: SimulationState): string {
  const parts = [`sent ${state.sent}`, `acked ${state.acked} of ${state.planned}`, `refused ${state.refused}`];
  if (state.unknown > 0) parts.push(`unconfirmed ${state.unknown}`);
  parts.push(`freshness ${milliseconds(state.freshnessP50Ms)}, p99 ${milliseconds(state.freshnessP99Ms)}`);
  return parts.join(' · ');
}

/** What happened, and where to look at it. */
export function showReport(out: Output, report: SimulationReport, o: { baseUrl: string; seed: string }): void {
  const { resort, date, differences, busiestSkierId } = report;
  const lines = [
    `played ${report.playedS.toFixed(1)} s with seed ${o.seed}: ${stateLine(report)} (${report.freshnessSamples} samples)`,
    ...report.refusals.map(({ reason, count }) => `not acked at first: ${count} × ${reason}`),
    report.acked === 0
      ? 'nothing was acked'
      : `read back ${report.skiers} skiers: ${differences.length === 0 ? 'everything acked is there, once' : `${differences.length} differences`}`,
    `the resort's day: ${o.baseUrl}/v1/resorts/${resort.resortId}/days/${date}`,
    `as a page: ${o.baseUrl}/resorts/${resort.resortId}?date=${date}`,
  ];
  if (busiestSkierId !== undefined) {
    const token = `$(npx liftline token --skier ${busiestSkierId})`;
    lines.push(
      `the busiest skier's: curl -H "Authorization: Bearer ${token}" ${o.baseUrl}/v1/skiers/${busiestSkierId}/days/${date}`,
    );
  }
  out.write(`${lines.join('\n')}\n`);
}

export function showDifferences(out: Output, differences: readonly Difference[]): void {
  for (const { kind, skierId, detail } of differences.slice(0, SHOWN_DIFFERENCES))
    out.write(`${kind}: skier ${skierId}: ${detail}\n`);
  const more = differences.length - SHOWN_DIFFERENCES;
  if (more > 0) out.write(`and ${more} more\n`);
}

function showDuration(durationS: number): string {
  return durationS < 120 ? `${Math.round(durationS)} s` : `${Math.round(durationS / 60)} min`;
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '-' : `${Math.round(value)} ms`;
}
