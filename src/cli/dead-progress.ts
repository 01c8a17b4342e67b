interface Terminal {
  write(text: string): unknown;
  isTTY?: boolean;
}

/** Fewer are done before anybody has read a line about them. */
const WORTH_A_LINE = 20;
const EVERY_MS = 100;

/**
 * One line that is rewritten while many are worked through; nothing where there is no terminal, where it would only fill a
 * log. (listr2 shows tasks that end; this is one that counts.)
 */
export function progressLine(out: Terminal, total: number): { at(done: number): void; end(): void } {
  const isShown = out.isTTY === true && total >= WORTH_A_LINE;
  let nextAt = 0;
  return {
    at(done) {
      if (!isShown || performance.now() < nextAt) return;
      nextAt = performance.now() + EVERY_MS;
      out.write(`\r\u001b[2K${done} of ${total}`);
    },
    end() {
      if (isShown) out.write('\r\u001b[2K');
    },
  };
}
