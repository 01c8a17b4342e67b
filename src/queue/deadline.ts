/**
 * Waits for work, but no longer than a deadline. Work that is late goes on; its result is dropped.
 *
 * @param deadlineMs milliseconds from now
 * @param late makes the error to reject with
 */
export async function withDeadline<T>(work: Promise<T>, deadlineMs: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), deadlineMs);
  });
  work.catch(() => {}); // may still fail after the deadline
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
