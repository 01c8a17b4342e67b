// Looks at the pipeline again every second, and says aloud what is new among the alarms.

const EVERY_MS = 1_000;
const region = document.getElementById('pipeline');
const news = document.getElementById('news');
const source = region?.dataset.source;

function alarms(): string {
  return [...document.querySelectorAll('.alarms strong')].map(({ textContent }) => textContent).join(' ');
}

async function look(): Promise<void> {
  if (!region || !news || source === undefined || document.hidden) return;
  const before = alarms();
  try {
    const response = await fetch(source, { headers: { accept: 'text/html' } });
    if (response.status === 401) location.reload(); // the session has ended: the form is next
    if (!response.ok) throw new Error(String(response.status));
    region.innerHTML = await response.text();
    region.classList.remove('old');
  } catch {
    region.classList.add('old');
    news.textContent = 'This page is not up to date: its server does not answer.';
    return;
  }
  const now = alarms();
  if (now !== before) news.textContent = now === '' ? 'All is well again.' : now;
}

async function watch(): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    await look();
  }
}

void watch();
