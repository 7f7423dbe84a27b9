/** A whole run: previews, then installs, then the results and the page made from them. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { PROJECT } from "./agents";
import { findAnsible } from "./find-ansible";
import { measureInstalls } from "./installs";
import { measurePreviews } from "./previews";
import { measureProviders } from "./providers";
import { METHODS, RESULTS, type Method, type Results } from "./results";
import { Failure } from "../cli/say";
import { PULUMI } from "../toolchain/versions";

/** @returns the file of the results */
export async function benchmark(runs: number, tell: (line: string) => void): Promise<string> {
  const interrupted = heedInterrupts();
  try {
    return await measure(runs, (line) => {
      if (interrupted()) throw new Failure("interrupted");
      tell(line);
    });
  } catch (error) {
    // Whatever it was that Ctrl-C has broken.
    if (interrupted()) throw new Failure("interrupted; no results were kept", 130);
    throw error;
  }
}

async function measure(runs: number, say: (line: string) => void): Promise<string> {
  const begun = new Date().toISOString();
  // At the beginning, since that is what is measured.
  const measured = commit();
  const loadBefore = Math.round((loadavg()[0] ?? 0) * 10) / 10;
  const ansible = await findAnsible(say);
  const methods = (Object.keys(METHODS) as Method[]).filter(
    (method) => method !== "ansible" || ansible !== undefined,
  );
  const previews = await measurePreviews(runs, say);
  const providers = await measureProviders(runs, say);
  const { accel, times } = await measureInstalls(methods, runs, say);
  const results: Results = {
    begun,
    commit: measured,
    machine: {
      processor: cpus()[0]?.model.trim() ?? "unknown processor",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `Linux ${release()}`,
      accel,
      vm: "Debian 12, 2 CPUs, 1 GiB",
      loadBefore,
    },
    versions: {
      Pulumi: PULUMI,
      Node: process.versions.node,
      ...(ansible === undefined ? {} : { Ansible: ansible }),
      OpenSSH: firstLine("ssh", ["-V"]),
    },
    installs: times,
    previews,
    providers,
  };
  mkdirSync(RESULTS, { recursive: true });
  const name = `${begun.slice(0, 16).replace(":", "")}-${measured.replace("+", "")}.json`;
  const file = join(RESULTS, name);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}

/** Ctrl-C ends what runs at the moment; what was started is then ended in order, instead of left behind. */
function heedInterrupts(): () => boolean {
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      interrupted = true;
    });
  }
  return () => interrupted;
}

/** Results belong to a commit; a `+` tells that it was not that commit alone. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: PROJECT, encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--", ".", ":!bench/results", ":!docs");
  return `${git("rev-parse", "--short", "HEAD")}${changed === "" ? "" : "+"}`;
}

/** Some print their version to stderr. */
function firstLine(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return `${stdout}${stderr}`.split("\n")[0] ?? "";
}
