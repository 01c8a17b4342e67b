// Keeps an open page up to date: the server draws it again, and what changed takes the place of what was there. Without this
// script the page is whole, as of when it was asked for.

import { addSwitch, setLive } from '../../../platform/browser/live-switch.ts';
import { hearAsOf, holdAsOf, stopAsking } from './as-of.ts';
import { drawAgain, main } from './drawing.ts';
import { hearRide, type RideNews } from './rides.ts';

/** A stream that was refused; one that broke comes back by itself. */
const RECONNECT_MS = 5_000;

/** Follows the skier's rides. @returns what ends it */
function follow(url: string): () => void {
  let stream: EventSource;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    stream = new EventSource(url);
    stream.addEventListener('hello', ({ data }: MessageEvent<string>) => {
      setLive(true);
      holdAsOf(data); // the page may lack what was stored before the stream began
    });
    stream.addEventListener('reset', ({ data }: MessageEvent<string>) => holdAsOf(data));
    stream.addEventListener('error', () => {
      setLive(false);
      if (stream.readyState !== EventSource.CLOSED) return;
      retry = setTimeout(open, RECONNECT_MS);
      holdAsOf(); // tells, too, whether the visitor is still signed in
    });
    stream.addEventListener('ride', ({ data }: MessageEvent<string>) => hearRide(JSON.parse(data) as RideNews));
    stream.addEventListener('asOf', ({ data }: MessageEvent<string>) => hearAsOf(data));
  };
  open();
  return () => {
    clearTimeout(retry);
    stopAsking();
    stream.close();
    setLive(false);
  };
}

/** Looks again and again, while somebody can see it. @returns what ends it */
function lookAgain(everyS: number): () => void {
  setLive(true);
  const ticker = setInterval(() => {
    if (document.visibilityState === 'visible') void drawAgain();
  }, everyS * 1_000);
  return () => {
    clearInterval(ticker);
    setLive(false);
  };
}

/** A page that could not be made: as soon as it can, it comes by itself. */
function waitForPage(everyS: number): void {
  setInterval(() => void reloadIfThere(), everyS * 1_000);
}

async function reloadIfThere(): Promise<void> {
  const response = await fetch(location.href).catch(() => undefined);
  if (response?.ok) location.reload();
}

const { live, lookAgainS } = main?.dataset ?? {};
const isAway = document.querySelector('[data-away]') !== null;
if (isAway) waitForPage(Number(lookAgainS ?? RECONNECT_MS / 1_000));
else if (live !== undefined) addSwitch(() => follow(live));
else if (lookAgainS !== undefined) addSwitch(() => lookAgain(Number(lookAgainS)));
