import { html } from 'hono/html';
import type { Html } from '../html.ts';
import type { Links } from '../links.ts';
import type { Visitor } from '../visitor.ts';

/** What every part of a page may need. */
export interface Setting {
  visitor: Visitor;
  links: Links;
  /** the names of the assets as they are served */
  assets: Record<string, string>;
  /** milliseconds since the epoch */
  now: number;
}

export interface Page {
  title: string;
  /** the entry of the menu that it belongs to */
  menu: 'season' | 'resorts' | 'none';
  isSignedIn: boolean;
  /** what the script does: follow the skier's rides of `season 2026` or `2026-01-31`, look again every so many seconds, or nothing */
  updates: { liveOf: string } | { everyS: number } | 'none';
  main: Html;
}

/** The document around a page: head, masthead with the menu, main and footer. */
export function frame(page: Page, setting: Setting): Html {
  const { visitor, links, assets } = setting;
  return html`<!doctype html>
<html lang="${visitor.textLang}" data-locale="${visitor.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#eaf1f5">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0b141b">
<title>${page.title} · Liftline</title>
<link rel="icon" type="image/svg+xml" href="${links.asset(assets['icon.svg'] ?? '')}">
<link rel="stylesheet" href="${links.asset(assets['page.css'] ?? '')}">
${page.updates !== 'none' && html`<script type="module" src="${links.asset(assets['live.js'] ?? '')}"></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="masthead">
<a class="wordmark" href="${links.season()}">${mark}<span>Liftline</span></a>
<nav class="menu" aria-label="Main">
${entry('My season', links.season(), page.menu === 'season')}
${entry('Resorts', links.resorts, page.menu === 'resorts')}
</nav>
${page.isSignedIn && html`<form class="leave" method="post" action="${links.signOut}"><button>Sign out</button></form>`}
</header>
<main id="main" tabindex="-1" ${updateAttributes(page, links)}>
${page.main}
</main>
<p id="news" class="unseen" role="status" aria-live="polite"></p>
<footer class="foot"><p>Dates and times are the resort’s own. Vertical is what the lifts have climbed.</p></footer>
</body>
</html>
`;
}

function entry(text: string, href: string, isHere: boolean): Html {
  return html`<a href="${href}" ${isHere && html`aria-current="page"`}>${text}</a>`;
}

function updateAttributes({ updates }: Page, links: Links): Html | false {
  if (updates === 'none') return false;
  if ('liveOf' in updates) return html`data-live="${links.live}" data-shows="${updates.liveOf}"`;
  return html`data-look-again-s="${updates.everyS}"`;
}

/** A cable between two peaks, with a chair. */
const mark = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path class="mark-peak" d="M2 27 12 9l6 10 4-6 8 14z"/><path class="mark-cable" d="M3 17 29 4"/><circle class="mark-chair" cx="19" cy="9" r="2.6"/></svg>`;
