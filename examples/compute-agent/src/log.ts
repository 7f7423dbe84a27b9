/** One line per event on stdout, `event key=value …`. The journal adds the time. Never pass a secret. */
export function log(event: string, facts: Readonly<Record<string, string | number>> = {}): void {
  const pairs = Object.entries(facts).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  process.stdout.write(`${[event, ...pairs].join(" ")}\n`);
}
