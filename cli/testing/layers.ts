import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fleetFolder, PROJECT } from "../project";
import { say } from "../say";
import { countJest, countTap, NOTHING } from "./counts";
import type { Counts } from "./counts";
import { filesThat, shellScripts } from "./files";
import { ensurePackages, SHELL_TOOLS, SSH_TOOLS } from "./packages";
import { step } from "./step";

/** The layers in the order they run: the cheapest first. */
export const LAYERS = { check, unit, assets, engine, e2e } satisfies Record<string, Layer>;

export type Layer = () => Promise<Counts>;

/** Format, lint, types, shell, generated files: each is one check. */
async function check(): Promise<Counts> {
  await ensurePackages(SHELL_TOOLS);
  const scripts = shellScripts();
  const programs = filesThat((path) => /generate[^/]*\.ts$/.test(path));
  const checks: readonly (readonly [title: string, command: readonly string[]])[] = [
    ["format", [bin("prettier"), "--check", "--log-level", "warn", "."]],
    ["lint", [bin("eslint"), "--max-warnings", "0", "."]],
    ["types", [bin("tsc"), "--noEmit"]],
    ...(scripts.length === 0
      ? []
      : ([
          // SC1091: what a script sources on a host is not here.
          ["shellcheck", ["shellcheck", "--external-sources", "--exclude=SC1091", ...scripts]],
          ["shfmt", ["shfmt", "-d", "-i", "2", "-ci", "-s", ...scripts]],
        ] as const)),
    ...programs.map(
      (path) =>
        [
          `fresh: ${path}`,
          [process.execPath, "--require", "./toolchain/transpile.cjs", path, "--check"],
        ] as const,
    ),
  ];
  let failed = 0;
  for (const [title, command] of checks) {
    if ((await step(title, command, { quiet: true })).code !== 0) failed += 1;
  }
  return { passed: checks.length - failed, failed, skipped: [] };
}

async function unit(): Promise<Counts> {
  // Some talk to a real sshd on loopback.
  await ensurePackages(SSH_TOOLS);
  return await jest("unit", ["--silent"]);
}

/** The scripts that land on a host, in a folder with stub programs. */
async function assets(): Promise<Counts> {
  const files = filesThat((path) => path.endsWith(".bats"));
  if (files.length === 0) return NOTHING;
  await ensurePackages(SHELL_TOOLS);
  const { code, output } = await step("bats", ["bats", "--tap", ...files]);
  const counts = countTap(output);
  // bats may fail as a whole: a file that does not parse.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** The engine's stand-ins with a real Pulumi and a real sshd. */
async function engine(): Promise<Counts> {
  await ensurePackages(SSH_TOOLS);
  return await jest("engine", ["--runInBand", "--verbose"]);
}

/** From nothing to agents on a real VM, and back. */
async function e2e(): Promise<Counts> {
  await ensurePackages(SSH_TOOLS);
  const { ensureTools } = await import("../../vm/tools");
  await ensureTools(say);
  return await jest("e2e", ["--runInBand", "--verbose"]);
}

async function jest(layer: string, options: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(fleetFolder("tmp"), "jest-"));
  const report = join(folder, "report.json");
  try {
    const { code } = await step(
      `jest ${layer}`,
      [bin("jest"), "--json", `--outputFile=${report}`, "--passWithNoTests", ...options],
      { env: { FLEET_TESTS: layer } },
    );
    if (!existsSync(report)) return code === 0 ? NOTHING : { ...NOTHING, failed: 1 };
    const counts = countJest(readFileSync(report, "utf8"));
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function bin(name: string): string {
  return join(PROJECT, "node_modules", ".bin", name);
}
