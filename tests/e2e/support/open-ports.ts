/** What a scan of every port may find on a machine with one agent, which listens on 8787. */
import type { Scan } from "./nmap";
import type { Caller, Outside } from "./outside";

/** How a port is told that nothing has opened: by nmap's words for what comes back. */
export interface Unopened {
  readonly tcp: "closed" | "filtered";
  readonly udp: "closed" | "filtered" | "open|filtered";
}

/** Without a firewall but ours the machine itself answers. */
export const NO_OTHER_FIREWALL: Unopened = { tcp: "closed", udp: "closed" };

const PORT = 8787;
const EVERY = 65_535;

/** 22 and nothing else for a stranger, the agent's port too for the one who is allowed; none of both for UDP. */
export async function expectOpenToAlone(
  allowed: Caller,
  outside: Outside,
  { tcp, udp }: Unopened = NO_OTHER_FIREWALL,
): Promise<void> {
  const dropsAll = udp === "open|filtered";
  const shut = scan({ open: [22], filtered: [PORT] }, tcp);
  expect(await outside.scan("stranger", "tcp", { dropsAll })).toEqual(shut);
  expect(await outside.scan("stranger", "tcp", { dropsAll, over: 6 })).toEqual(shut);
  // A port that drops is as silent as one that listens. What this one is, the answer to the allowed one tells.
  expect(await outside.scan("stranger", "udp", { dropsAll })).toEqual(
    scan({ "open|filtered": [PORT] }, udp),
  );
  const one = { ports: String(PORT) };
  expect(await outside.scan(allowed, "udp", one)).toEqual({ [udp]: [PORT] });
  expect(await outside.scan(allowed, "tcp", { dropsAll })).toEqual(scan({ open: [22, PORT] }, tcp));
  expect(await outside.scan(allowed, "tcp", { ...one, over: 6 })).toEqual({ open: [PORT] });
}

/** The named ports, and all others in one state, which some of the named ones may be in too. */
export function scan(named: Readonly<Record<string, readonly number[]>>, others: string): Scan {
  const apart = Object.entries(named).filter(([state]) => state !== others);
  const listed = apart.reduce((sum, [, ports]) => sum + ports.length, 0);
  return { ...Object.fromEntries(apart), [others]: EVERY - listed };
}
