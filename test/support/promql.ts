/** What a PromQL expression asks of the metrics: enough to find a name that nobody exports, not a parser. */
export interface Asked {
  metrics: string[];
  /** in matchers, and in by, without, on and ignoring */
  labels: string[];
}

const TOKEN =
  /(?<space>\s+)|(?<text>"(?:[^"\\]|\\.)*")|(?<duration>\[[^\]]*\])|(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<name>[a-zA-Z_:][\w:]*)|(?<sign>=~|!~|==|!=|>=|<=|[-+*/%^<>=(){},])/y;
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** @throws Error for what it can't read: an unbalanced bracket, a sign that PromQL does not have */
export function readPromql(expression: string): Asked {
  const tokens = tokensOf(expression);
  const metrics = new Set<string>();
  const labels = new Set<string>();
  const open: string[] = [];
  let isGrouping = false;
  for (const [i, { kind, text }] of tokens.entries()) {
    const next = tokens[i + 1]?.text;
    if (text === '(' || text === '{') open.push(isGrouping ? 'grouping' : text);
    if (text === '(') isGrouping = false;
    if (text === ')' || text === '}') close(open, text, expression);
    if (kind !== 'name') continue;
    if (open.at(-1) === '{' || open.at(-1) === 'grouping') labels.add(text);
    else if (GROUPING.has(text)) isGrouping = true;
    else if (!['(', 'by', 'without'].includes(next ?? '') && !WORDS.has(text.toLowerCase())) metrics.add(text);
  }
  if (open.length > 0) throw new Error(`something stays open: ${expression}`);
  return { metrics: [...metrics], labels: [...labels] };
}

function close(open: string[], text: string, expression: string): void {
  const opened = open.pop();
  if (opened === undefined || (opened === '{') !== (text === '}')) throw new Error(`a stray ${text}: ${expression}`);
}

function tokensOf(expression: string): { kind: string; text: string }[] {
  const tokens: { kind: string; text: string }[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(expression);
    const [kind, text] = Object.entries(found?.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (kind === undefined || text === undefined) throw new Error(`can't read at ${at}: ${expression}`);
    if (kind !== 'space') tokens.push({ kind, text });
  }
  return tokens;
}

/** What a process exports: the labels of each metric, as far as it has series. */
export type Exported = Map<string, Set<string>>;

/** Reads the text format; a histogram counts as its three names. */
export function readExported(text: string, into: Exported = new Map()): Exported {
  const add = (name: string) => into.get(name) ?? into.set(name, new Set()).get(name) ?? new Set<string>();
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\w+)/.exec(line) ?? [];
    if (name !== undefined)
      for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) add(`${name}${suffix}`);
    const [, series, labels] = /^([a-zA-Z_:][\w:]*)\{([^}]*)\}/.exec(line) ?? [];
    if (series !== undefined)
      for (const [, label] of (labels ?? '').matchAll(/(\w+)="/g)) if (label !== undefined) add(series).add(label);
  }
  return into;
}
