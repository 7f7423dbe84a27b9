/** What nmap's XML tells of one host's ports. */

/** Port → state. */
export type States = ReadonlyMap<number, string>;

/** State → the ports that are in it, or their number where they are many. */
export type Scan = Readonly<Record<string, readonly number[] | number>>;

const MANY = 26;

/** @throws Error where it does not tell of each of the ports, as when its time was over */
export function parseStates(xml: string, ports: string): States {
  const states = new Map<number, string>();
  for (const [, state = "", group = ""] of xml.matchAll(
    /<extraports state="([^"]+)"([^]*?)<\/extraports>/g,
  )) {
    for (const [, some = ""] of group.matchAll(/ ports="([^"]+)"/g)) {
      for (const port of portsOf(some)) states.set(port, state);
    }
  }
  for (const [, port, state = ""] of xml.matchAll(/ portid="(\d+)"><state state="([^"]+)"/g)) {
    states.set(Number(port), state);
  }
  const missing = portsOf(ports).filter((port) => !states.has(port)).length;
  if (missing > 0) throw new Error(`nmap tells nothing of ${String(missing)} ports:\n${xml}`);
  return states;
}

export function summary(states: States): Scan {
  const byState = new Map<string, number[]>();
  for (const [port, state] of [...states].sort(([a], [b]) => a - b)) {
    const known = byState.get(state);
    if (known === undefined) byState.set(state, [port]);
    else known.push(port);
  }
  return Object.fromEntries(
    [...byState].map(([state, ports]) => [state, ports.length < MANY ? ports : ports.length]),
  );
}

/** `22,8000-8010` as numbers. */
function portsOf(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
