// Whether a page keeps itself up to date, and the switch for whoever wants it to hold still.

export function setLive(isLive: boolean): void {
  document.body.classList.toggle('is-live', isLive);
}

/** Puts the switch where the page has a place for it. @param start keeps the page up to date, and returns what ends that */
export function addSwitch(start: () => () => void): void {
  let stop = start();
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'live-switch';
  button.textContent = 'Live';
  button.setAttribute('aria-pressed', 'true');
  button.addEventListener('click', () => {
    const isOn = button.getAttribute('aria-pressed') === 'true';
    button.setAttribute('aria-pressed', String(!isOn));
    if (isOn) stop();
    else stop = start();
  });
  document.querySelector('[data-switch]')?.replaceChildren(button);
}
