/** Tells one process from a later one with the same id. Only Node's own modules: the Pulumi program loads this. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** A process that was seen alive. */
export interface ProcessRef {
  readonly pid: number;
  /** When it started, as the system tells it; differs for every later owner of the same pid. */
  readonly start: string;
}

/** The process with this id as it is now; undefined if there is none, or only its unreaped remains. */
export function findProcess(pid: number): ProcessRef | undefined {
  const start = existsSync("/proc/self/stat") ? startFromProc(pid) : startFromPs(pid);
  return start === undefined ? undefined : { pid, start };
}

export function isAlive(ref: ProcessRef | undefined): boolean {
  return ref !== undefined && findProcess(ref.pid)?.start === ref.start;
}

/** The command line of a process; "" if it is gone. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return existsSync("/proc/self/stat") ? "" : ps(pid, "command=");
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function signal(ref: ProcessRef, name: NodeJS.Signals): void {
  if (!isAlive(ref)) return;
  try {
    process.kill(ref.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Waits until the process is gone. @returns false if it still runs after `seconds` */
export async function waitUntilGone(ref: ProcessRef, seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (isAlive(ref)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

function startFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    // The command's name, in parentheses, may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    // Ticks since the machine's boot, so the boot belongs to it.
    return `${bootId()}:${fields[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function startFromPs(pid: number): string | undefined {
  const [state, ...start] = ps(pid, "state=,lstart=").split(/\s+/);
  return state === undefined || state === "" || state.startsWith("Z") ? undefined : start.join(" ");
}

function ps(pid: number, columns: string): string {
  return spawnSync("ps", ["-o", columns, "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
}

/** Changes with every boot of this machine. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return spawnSync("sysctl", ["-n", "kern.boottime"], { encoding: "utf8" }).stdout.trim();
  }
}
