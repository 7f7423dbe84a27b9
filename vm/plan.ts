/**
 * What the program must know of a local VM before it runs: its identity, its boot number and the
 * ports on this machine. All of it is kept in the VM's folder, so that a second run plans the same.
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
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

/** The recorded plan of the VM in `dir`, with what is missing chosen now. `taken` ports are left alone. */
export async function planMachine(
  dir: string,
  ports: readonly number[],
  taken: ReadonlySet<number> = new Set(),
): Promise<MachinePlan> {
  const known = readRecord(dir);
  const boot = nextBoot(dir);
  const runs = known?.boot === boot;
  const used = new Set(taken);
  const choose = async (preferred: number): Promise<number> => {
    for (let port = preferred; port < 65536; port += 1) {
      if (!used.has(port) && (await isFree(port))) {
        used.add(port);
        return port;
      }
    }
    throw new Error(`no free port from ${String(preferred)} on 127.0.0.1`);
  };
  // What a running VM holds stays its own; a VM that died gets it back where nobody else took it.
  const keepOrChoose = async (before: number | null | undefined, preferred: number) => {
    if (runs && before != null) {
      used.add(before);
      return before;
    }
    // A process that has just been killed may hold its ports for another moment.
    for (let tries = 0; before != null && tries < 10 && !(await isFree(before)); tries += 1) {
      await new Promise((done) => setTimeout(done, 200));
    }
    return choose(before ?? preferred);
  };

  const sshPort = await keepOrChoose(known?.sshPort, SSH_FROM);
  const forwards: Record<string, number> = {};
  for (const port of [...ports].sort((a, b) => a - b)) {
    forwards[String(port)] = await keepOrChoose(known?.forwards[String(port)], port);
  }
  return {
    machine: known?.machine ?? randomBytes(6).toString("hex"),
    boot,
    sshPort,
    forwards,
  };
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => {
      done(false);
    });
    server.listen(port, "127.0.0.1", () => {
      server.close(() => {
        done(true);
      });
    });
  });
}
