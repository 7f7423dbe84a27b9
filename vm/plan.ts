/**
 * What the program must know of a local VM before it runs: its identity, its boot number and the
 * ports on this machine. All of it is kept in the VM's folder, so that a second run plans the same.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { nextBoot } from "./machine";

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

/** The recorded plan of the VM in `dir`, with what is missing chosen now. `taken` ports are left alone. */
export async function planMachine(
  dir: string,
  ports: readonly number[],
  taken: ReadonlySet<number> = new Set(),
): Promise<MachinePlan> {
  const known = recorded(dir);
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
  const keep = (port: number): number => {
    used.add(port);
    return port;
  };

  const sshPort = known?.sshPort === undefined ? await choose(22_022) : keep(known.sshPort);
  const forwards: Record<string, number> = {};
  for (const port of [...ports].sort((a, b) => a - b)) {
    const before = known?.forwards[String(port)];
    forwards[String(port)] = before === undefined ? await choose(port) : keep(before);
  }
  return {
    machine: known?.machine ?? randomBytes(6).toString("hex"),
    boot: nextBoot(dir),
    sshPort,
    forwards,
  };
}

interface Recorded {
  readonly machine: string;
  readonly sshPort: number;
  readonly forwards: Readonly<Record<string, number>>;
}

function recorded(dir: string): Recorded | undefined {
  const file = join(dir, "vm.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Recorded) : undefined;
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
