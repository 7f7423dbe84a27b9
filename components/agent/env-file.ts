/** The agent's env file in the form that systemd reads, and that the host's scripts read back. */

/** Control characters cannot stand in a line of the file; a NUL usually means a UTF-16 file. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Why a value cannot stand in an env file, or undefined where it can.
 * Line breaks would end the variable early, so nothing is escaped away silently.
 */
export function envValueProblem(value: string): string | undefined {
  if (/[\r\n]/.test(value)) {
    return "expected a value without line breaks; remove the line break (often one at the end)";
  }
  if (value.includes("\u0000") || value.includes("\ufeff")) {
    return "expected plain text; the value looks like UTF-16, save it as UTF-8";
  }
  if (CONTROL.test(value)) {
    return "expected a value without control characters; remove them";
  }
  return undefined;
}

/** One value in double quotes: systemd unescapes a backslash before `"`, `\`, `` ` `` and `$`. */
export function quoteEnvValue(value: string): string {
  return `"${value.replace(/["\\`$]/g, (character) => `\\${character}`)}"`;
}

/**
 * The whole file, sorted by name so that the same variables give the same bytes.
 * @throws Error naming the variable (never its value) that cannot be written.
 */
export function renderEnvFile(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const problem = envValueProblem(value);
      if (problem !== undefined) {
        throw new Error(`env variable ${name}: ${problem}`);
      }
      return `${name}=${quoteEnvValue(value)}\n`;
    });
  return lines.join("");
}
