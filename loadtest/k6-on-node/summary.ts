import { machineLine } from '../machine.ts';
import type { Report } from './report.ts';

/** Above this the generator itself is a good part of what it measures. */
const LATE_MS = 10;

/** The end of a run as text, one line a threshold, scenario and metric. */
export function summarise(report: Report): string {
  const { generatorDelay } = report;
  return [
    '',
    `${report.script} against ${report.target}, ${(report.elapsedMs / 1_000).toFixed(1)} s`,
    report.generator,
    machineLine(report.machine),
    '',
    'thresholds',
    ...table(
      report.thresholds.map(({ ok, metric, expression, value }) => [
        ok ? '✓' : '✗',
        metric,
        expression,
        `${round(value)}`,
      ]),
    ),
    '',
    'scenarios',
    ...table(
      report.scenarios.map((of) => [
        of.name,
        `${of.started} of ${of.planned} iterations started`,
        `${of.dropped} dropped`,
        `${of.interrupted} interrupted`,
        `${of.usersAtPeak} users at peak`,
      ]),
    ),
    '',
    'metrics',
    ...table(report.metrics.map(({ name, values, unit }) => [name, valuesAsText(values, unit)])),
    '',
    `The generator was late by ${round(generatorDelay.p99)} ms (p99), ${round(generatorDelay.max)} ms at most.`,
    ...(generatorDelay.p99 > LATE_MS ? ['That is much: latencies are the generator’s as much as the service’s.'] : []),
    ...Object.entries(report.failures).map(([what, times]) => `${times} requests failed: ${what}`),
    ...Object.entries(report.scriptErrors).map(([error, times]) => `The script threw ${times} times: ${error}`),
    ...(report.wasStopped ? ['It was stopped before its time.'] : []),
    report.passed ? 'Passed.' : 'Failed.',
    '',
  ].join('\n');
}

function valuesAsText(values: Record<string, number>, unit: string): string {
  return Object.entries(values)
    .map(([label, value]) => `${label}=${round(value)}${label === 'count' ? '' : unit}`)
    .join('  ');
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
