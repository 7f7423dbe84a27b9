/** Peak memory of every process below this one, as Linux itself keeps it (VmHWM). */
import { readdirSync, readFileSync } from "node:fs";

export interface Peak {
  readonly role: string;
  readonly mib: number;
}

/** A peak only grows, so a look now and then misses no more than what comes after the last one. */
const EVERY_MS = 100;

/** The largest process that runs below this one while `work` does. */
export async function largestDuring<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly largest: Peak }> {
  let largest: Peak = { role: "none", mib: 0 };
  const look = (): void => {
    for (const pid of below(process.pid)) {
      const mib = peakMiB(pid);
      if (mib > largest.mib) largest = { role: roleOf(commandLine(pid)), mib };
    }
  };
  const timer = setInterval(look, EVERY_MS);
  try {
    return { result: await work(), largest };
  } finally {
    clearInterval(timer);
  }
}

function below(ancestor: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const stat = read(`/proc/${name}/stat`);
    // The command's name, in parentheses, may hold blanks and parentheses itself.
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const visit = (pid: number): void => {
    for (const child of parents.get(pid) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(ancestor);
  return found;
}

/** The most that a process ever held. */
export function peakMiB(pid: number): number {
  const [, kib = "0"] = /^VmHWM:\s*(\d+) kB/m.exec(read(`/proc/${String(pid)}/status`)) ?? [];
  return Number(kib) / 1024;
}

function commandLine(pid: number): string {
  return read(`/proc/${String(pid)}/cmdline`).replaceAll("\0", " ");
}

/** What a command line is in a run. Pure. */
export function roleOf(line: string): string {
  if (line.includes("pulumi-resource-")) return "plugin";
  if (line.includes("pulumi-language-")) return "language host";
  if (line.includes("@pulumi/pulumi/cmd/run")) return "program";
  if (line.includes("cli/main.ts")) return "fleet";
  return /\/pulumi(\.exe)? /.test(line) ? "engine" : "other";
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
