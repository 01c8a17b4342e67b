import { type Machine, machineLine } from '../machine.ts';
import { markdownTable } from '../results.ts';
import { conservationProblems } from './checker-verdict.ts';
import type { Fault } from './fault.ts';
import { drawTimeline } from './report-chart.ts';
import type { FaultRun } from './runner.ts';

/** A whole `npm run faults`. */
export interface FaultsReport {
  seed: string;
  acks: number;
  machine: Machine;
  runs: FaultRun[];
  /** faults that can't run here, with the reason */
  notRun: { fault: string; reason: string }[];
  /** faults without a negative control, with the reason */
  withoutControl: { fault: string; reason: string }[];
}

const HEAD = [
  'fault',
  'acked',
  'sent again',
  'lost',
  'phantom',
  'duplicate',
  'misplaced',
  'totals',
  'conservation',
  'back to 0 after',
  'verdict',
];
const SHOWN = 6;

export function withoutControlOf(faults: readonly Fault[]): FaultsReport['withoutControl'] {
  return faults.flatMap(({ name, control }) => ('none' in control ? [{ fault: name, reason: control.none }] : []));
}

export function showTable({ runs }: Pick<FaultsReport, 'runs'>): string {
  return markdownTable([HEAD, ...runs.map(rowOf)]);
}

function rowOf(run: FaultRun): string[] {
  const { seen } = run;
  const name = run.setting === undefined ? run.fault : `${run.fault}, control`;
  if (!seen) return [name, ...HEAD.slice(2).map(() => ''), verdictOf(run)];
  const { findings, backToZeroS } = seen;
  const counts = [findings.lost, findings.phantom, findings.duplicate, findings.misplaced].map(number);
  const conservation = conservationProblems(seen).length === 0 ? 'true' : 'broken';
  return [
    name,
    number(seen.progress.acked),
    number(Object.values(seen.progress.unconfirmed).reduce((sum, scans) => sum + scans, 0)),
    ...counts,
    findings.wrongTotals === 0 ? 'exact' : `${number(findings.wrongTotals)} differ`,
    conservation,
    `${backToZeroS.toFixed(1)} s`,
    verdictOf(run),
  ];
}

function verdictOf({ isGood, setting }: FaultRun): string {
  if (setting === undefined) return isGood ? 'nothing lost' : 'WRONG';
  return isGood ? 'loss reported, as it must be' : 'WRONG: no loss reported';
}

/** Everything else worth a line. */
export function showNotes({ runs, notRun, withoutControl, machine, seed }: FaultsReport): string {
  const wrong = runs.filter(({ isGood }) => !isGood);
  return [
    ...wrong.flatMap((run) => [
      `${run.fault}${run.setting === undefined ? '' : ` (${run.setting})`}:`,
      ...[...run.problems, ...(run.seen?.findings.examples ?? [])].slice(0, SHOWN).map((line) => `  ${line}`),
    ]),
    ...notRun.map(({ fault, reason }) => `${fault} was not run: ${reason}`),
    ...withoutControl.map(({ fault, reason }) => `${fault} has no negative control: ${reason}`),
    `seed ${seed}, on ${machineLine(machine)}`,
    wrong.length === 0 ? 'everything as it must be' : `${wrong.length} of ${runs.length} runs wrong`,
  ].join('\n');
}

/** A page with the table, and the timeline of each run as SVG. */
export function reportPage(report: FaultsReport): string {
  const charts = report.runs.map((run) => `<section>${drawTimeline(run)}</section>`);
  const text = `${showTable(report)}\n${showNotes(report)}`;
  return [
    '<!doctype html><meta charset="utf-8"><title>Faults</title>',
    '<style>body{font-family:sans-serif;margin:2rem}pre{overflow-x:auto}section{max-width:1100px;margin-top:2rem}</style>',
    `<h1>Faults</h1><pre>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</pre>`,
    ...charts,
    '',
  ].join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en');
}
