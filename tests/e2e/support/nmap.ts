/** What nmap's XML tells of one host's ports. */

/** State → the ports that are in it, or their number where they are many. */
export type Scan = Readonly<Record<string, readonly number[] | number>>;

/** @throws Error where it does not tell of each of the ports, as when its time was over */
export function parseScan(xml: string, ports: string): Scan {
  const found: Record<string, number[] | number> = {};
  for (const [, state = "", count] of xml.matchAll(/<extraports state="([^"]+)" count="(\d+)"/g)) {
    found[state] = Number(count);
  }
  for (const [, port, state = ""] of xml.matchAll(/ portid="(\d+)"><state state="([^"]+)"/g)) {
    const known = found[state];
    found[state] = [...(typeof known === "object" ? known : []), Number(port)];
  }
  const told = Object.values(found)
    .map((some) => (typeof some === "number" ? some : some.length))
    .reduce((sum, some) => sum + some, 0);
  if (told !== count(ports)) {
    throw new Error(`nmap tells of ${String(told)} of the ports ${ports}:\n${xml.slice(-2000)}`);
  }
  return found;
}

/** How many ports `22,8000-8010` means. */
function count(ports: string): number {
  return ports
    .split(",")
    .map((part) => part.split("-").map(Number))
    .reduce((sum, [from = 0, to = from]) => sum + to - from + 1, 0);
}
