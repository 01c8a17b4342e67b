// Looks at the pipeline again every second, and says aloud which alarms came and went. Without this script the page is whole,
// as of when it was asked for.

import { addSwitch, setLive } from '../../../platform/browser/live-switch.ts';

const EVERY_MS = 1_000;
/** A server that takes longer does not answer. */
const PATIENCE_MS = 10_000;
const OLD = 'This page is not up to date: its server does not answer.';

const region = document.getElementById('pipeline');
const news = document.getElementById('news');

interface Alarm {
  /** with how bad it is, to be read aloud */
  said: string;
  what: string;
}

/** By their keys, which stay the same while the numbers in an alarm run. */
let alarms = alarmsIn(document);
let isOld = false;

function alarmsIn(place: ParentNode): Map<string, Alarm> {
  const found = [...place.querySelectorAll<HTMLElement>('[data-alarm]')];
  return new Map(
    found.map((alarm) => [
      alarm.dataset.alarm ?? '',
      { said: textOf(alarm, 'strong'), what: textOf(alarm, 'strong .what') },
    ]),
  );
}

function textOf(alarm: HTMLElement, part: string): string {
  return alarm.querySelector(part)?.textContent ?? '';
}

/** @param isOn whether the visitor still wants what an answer brings */
async function look(shown: HTMLElement, isOn: () => boolean): Promise<void> {
  const next = await fetchPicture(shown.dataset.source ?? '');
  if (!isOn()) return;
  shown.classList.toggle('old', next === undefined);
  if (next) tellAlarms(alarmsIn(next));
  else if (!isOld) say(OLD);
  isOld = next === undefined;
  setLive(!isOld);
  if (next) bringChildren(shown, next);
}

/** @returns undefined when the server does not answer, or can't tell */
async function fetchPicture(source: string): Promise<DocumentFragment | undefined> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(source, { headers: { accept: 'text/html' }, signal });
    if (response.status === 401) location.reload(); // the session has ended: the form is next
    if (!response.ok) return undefined;
    const template = document.createElement('template');
    template.innerHTML = await response.text();
    return template.content;
  } catch {
    return undefined;
  }
}

function tellAlarms(now: Map<string, Alarm>): void {
  const came = [...now].filter(([key]) => !alarms.has(key)).map(([, { said }]) => said);
  const went = [...alarms].filter(([key]) => !now.has(key)).map(([, { what }]) => `No longer: ${what}.`);
  const isWellAgain = now.size === 0 && alarms.size > 0;
  alarms = now;
  if (isWellAgain) say('All is well again.');
  else if (came.length + went.length > 0) say([...came, ...went].join(' '));
  else if (isOld) say('This page is up to date again.');
}

function say(text: string): void {
  if (news) news.textContent = text;
}

/** Changes only what differs: what was scrolled stays where it is, and what is selected stays selected. */
function bringChildren(shown: ParentNode & Node, next: Node): void {
  const wanted = [...next.childNodes];
  for (const child of [...shown.childNodes].slice(wanted.length)) child.remove();
  for (const [at, child] of wanted.entries()) {
    const there = shown.childNodes[at];
    if (there) bring(there, child);
    else shown.append(child);
  }
}

function bring(shown: ChildNode, next: ChildNode): void {
  if (shown.isEqualNode(next)) return;
  if (shown instanceof Text && next instanceof Text) {
    if (!isSelected(shown)) shown.data = next.data;
  } else if (shown instanceof Element && next instanceof Element && shown.nodeName === next.nodeName) {
    for (const name of shown.getAttributeNames()) if (!next.hasAttribute(name)) shown.removeAttribute(name);
    for (const name of next.getAttributeNames()) shown.setAttribute(name, next.getAttribute(name) ?? '');
    bringChildren(shown, next);
  } else shown.replaceWith(next);
}

/** Whoever selects a text wants to copy it: it holds still, in the colour of what is selected, until they are done. */
function isSelected(text: Text): boolean {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(text, true);
}

/** Looks again and again, while somebody can see it. @returns what ends it */
function watch(shown: HTMLElement): () => void {
  let isOn = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const lookOn = async () => {
    if (!document.hidden) await look(shown, () => isOn);
    if (isOn) timer = setTimeout(() => void lookOn(), EVERY_MS);
  };
  timer = setTimeout(() => void lookOn(), EVERY_MS);
  setLive(true);
  return () => {
    isOn = false;
    clearTimeout(timer);
    setLive(false);
  };
}

if (region) addSwitch(() => watch(region));
