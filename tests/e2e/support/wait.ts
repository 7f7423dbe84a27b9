/**
 * Waits for a condition, asking again and again until it holds.
 * @throws Error naming what was waited for, after `seconds`.
 */
export async function until(
  what: string,
  seconds: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${String(seconds)} s`);
    }
    await new Promise((done) => setTimeout(done, 500));
  }
}
