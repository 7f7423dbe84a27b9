/** Words for a POSIX shell. */

const PLAIN = /^[A-Za-z0-9_./:=@%+,-]+$/;
const HOME = "~/";

/**
 * One word, quoted where it needs it. `~/` at the start is the home folder of the user who logs in,
 * also where `sudo` runs the command.
 * @throws Error on a NUL, which no argument can hold.
 */
export function quote(word: string): string {
  if (word.includes("\0")) {
    throw new Error("a shell word cannot hold a NUL");
  }
  if (word.startsWith(HOME)) {
    return `"$HOME"/${quote(word.slice(HOME.length))}`;
  }
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line of these words. */
export function commandLine(words: readonly string[]): string {
  return words.map(quote).join(" ");
}
