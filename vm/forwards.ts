/** Which port of this machine's loopback leads to which port of the VM. */
import { netdev } from "./qemu";
import type { Qmp } from "./qmp";

/** Port in the VM → port on loopback. */
export type Forwards = ReadonlyMap<number, number>;

/** The forwards that QEMU's `info usernet` tells. */
export function parseForwards(text: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const match of text.matchAll(/TCP\[HOST_FORWARD\]\s+\S+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/g)) {
    found.set(Number(match[2]), Number(match[1]));
  }
  return found;
}

/**
 * Makes the running VM's forwards those that are wanted, nothing else. One that exists stays as it is.
 * @throws Error if a port of this machine is taken by another program
 */
export async function fitForwards(qmp: Qmp, wanted: Forwards): Promise<void> {
  const forwards = parseForwards(await qmp.human("info usernet"));
  for (const [port, local] of forwards) {
    if (wanted.get(port) !== local) {
      await qmp.human(`hostfwd_remove ${netdev} tcp:127.0.0.1:${String(local)}`);
    }
  }
  for (const [port, local] of wanted) {
    if (forwards.get(port) !== local) {
      await add(qmp, port, local);
    }
  }
}

async function add(qmp: Qmp, port: number, local: number): Promise<void> {
  const forward = `tcp:127.0.0.1:${String(local)}-:${String(port)}`;
  const refusal = await qmp.human(`hostfwd_add ${netdev} ${forward}`);
  if (refusal !== "") {
    throw new Error(
      `port ${String(local)} on 127.0.0.1, which leads to port ${String(port)} of the VM, was taken by another program meanwhile (${refusal.trim()}); run it again, and another one is chosen`,
    );
  }
}
