/**
 * What the program must know of a local VM before it runs: its identity, its boot number and the
 * ports on this machine. All of it is kept in the VM's folder, so that a second run plans the same.
 */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { claimPorts, isFree } from "./ports";
import { nextBoot, readRecord } from "./record";

export interface MachinePlan {
  /** Changes when the VM is made anew, so that everything on it is installed again. */
  readonly machine: string;
  /** Number of the boot to be running; one more than the last where the VM has died. */
  readonly boot: number;
  /** Port on 127.0.0.1 that leads to the VM's port 22. */
  readonly sshPort: number;
  /** Port of the VM → port on 127.0.0.1 that leads to it. */
  readonly forwards: Readonly<Record<string, number>>;
}

/** The first port tried for SSH: far from those that people use. */
const SSH_FROM = 22_022;

/** The recorded plan of the VM in `dir`, with what is missing chosen now. */
export async function planMachine(dir: string, ports: readonly number[]): Promise<MachinePlan> {
  const known = readRecord(dir);
  const boot = nextBoot(dir);
  const runs = known?.boot === boot;
  return claimPorts(resolve(dir), async (claim) => {
    // What a running VM holds stays its own; a VM that died gets it back where nobody else took it.
    const keepOrClaim = async (before: number | null | undefined, preferred: number) => {
      if (before == null) return claim(preferred);
      if (runs) return before;
      // A process that has just been killed may hold its ports for another moment.
      for (let tries = 0; tries < 10 && !(await isFree(before)); tries += 1) {
        await new Promise((done) => setTimeout(done, 200));
      }
      return claim(before);
    };

    const sshPort = await keepOrClaim(known?.sshPort, SSH_FROM);
    const forwards: Record<string, number> = {};
    for (const port of [...ports].sort((a, b) => a - b)) {
      forwards[String(port)] = await keepOrClaim(known?.forwards[String(port)], port);
    }
    const machine = known?.machine ?? randomBytes(6).toString("hex");
    return { machine, boot, sshPort, forwards };
  });
}
