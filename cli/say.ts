/**
 * What fleet says goes to stderr, so that stdout holds results alone (`./fleet stack output --json | jq`).
 */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A result, on stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** An error that is told by its text alone; `code` is the exit code. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
  }
}

/** Whether a person can be asked: both ends are terminals and `--yes` is not given. */
export function canAsk(yes: boolean): boolean {
  return !yes && process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks a yes-or-no question; anything but y or yes is no. */
export async function ask(question: string): Promise<boolean> {
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch {
    return false; // Ctrl-C or Ctrl-D at the question
  } finally {
    terminal.close();
  }
}
