/**
 * A value at the top of the configuration, as it was meant. Pulumi hands all of them over as text, and writes
 * `keepReleases: "1"` whenever it changes the stack file. Objects, numbers and flags are JSON; any other text is itself.
 */
export function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
