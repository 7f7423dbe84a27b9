/** How a small program answers the one that has started it: JSON on stdout, progress and errors on stderr. */

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** One line of JSON, or the error and exit code 1. */
export function tell(answer: Promise<unknown>): void {
  answer.then(
    (result) => {
      process.stdout.write(`${JSON.stringify(result)}\n`);
    },
    (error: unknown) => {
      say(error instanceof Error ? error.message : String(error));
      process.exitCode = 1;
    },
  );
}
