import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { findGo } from "../../toolchain/go";
import { PROJECT } from "../project";
import { say } from "../say";
import { temporaryFolder } from "../temporary";
import { countJest, countTap, NOTHING } from "./counts";
import type { Counts } from "./counts";
import { filesThat, shellScripts } from "./files";
import {
  BROWSER,
  ensurePackages,
  findBrowser,
  NETWORK_TOOLS,
  SCAN_TOOLS,
  SHELL_TOOLS,
  SHELLS,
  SSH_TOOLS,
} from "./packages";
import { step } from "./step";

/** The layers in the order they run: the cheapest first. */
export const LAYERS = { check, unit, assets, browser, engine, e2e } satisfies Record<string, Layer>;

/** What takes too long to be part of `all`. */
export const ON_REQUEST = { faults, systems, image, mixed } satisfies Record<string, Layer>;

export type Layer = () => Promise<Counts>;

/** Test files side by side: a story waits as long as it works, and more than two would starve their VMs on two cores. */
const TWO_AT_ONCE = ["--maxWorkers=2"] as const;

/** The stand-ins are Go programs; a machine with the official downloads need not have Go. */
const GO_FOLDER = "toolchain/standins";
/** Its go.mod pins the linter of workflows, which Go builds from the module proxy. */
const WORKFLOW_LINTER = "toolchain/actionlint";
const GO_TESTS = {
  unit: "tests/toolchain/stand-ins/",
  engine: "tests/engine/examples.test.ts",
  e2e: "tests/e2e/cloud.e2e.test.ts",
};

/** Why Go programs cannot be checked or built here. */
function withoutGo(): string | undefined {
  const found = findGo(process.env["PATH"] ?? "");
  return "missing" in found ? found.missing : undefined;
}

/** Format, lint, types, shell, Go, workflows, generated files: each is one check. */
async function check(): Promise<Counts> {
  await ensurePackages(SHELL_TOOLS);
  const scripts = shellScripts();
  const noGo = withoutGo();
  const workflows = filesThat((path) => /\/workflows\/[^/]+\.yml$/.test(path));
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
    ...(noGo !== undefined
      ? []
      : ([
          ["gofmt", ["gofmt", "-d", GO_FOLDER]],
          ["go vet", ["go", "-C", GO_FOLDER, "vet", "-mod=readonly", "./..."]],
          // It has shellcheck look at what they run.
          [
            "actionlint",
            [
              ...["go", "-C", WORKFLOW_LINTER, "tool", "actionlint"],
              ...workflows.map((path) => join(PROJECT, path)),
            ],
          ],
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
  const skipped =
    noGo === undefined ? [] : [`gofmt and go vet of ${GO_FOLDER}, actionlint: ${noGo}`];
  return { passed: checks.length - failed, failed, skipped };
}

async function unit(): Promise<Counts> {
  // Some talk to a real sshd on loopback, some complete words in real shells.
  await ensurePackages({ ...SSH_TOOLS, ...SHELLS });
  return await jestWithGo("unit", ["--silent", ...TWO_AT_ONCE], withoutGo());
}

/** The scripts that land on a host, in a folder with stub programs. */
async function assets(): Promise<Counts> {
  const files = filesThat((path) => path.endsWith(".bats"));
  if (files.length === 0) return NOTHING;
  await ensurePackages({ ...SHELL_TOOLS, ...NETWORK_TOOLS, parallel: "parallel" });
  const { code, output } = await step("bats", [
    "bats",
    "--tap",
    "--jobs",
    "2",
    "--no-parallelize-within-files",
    ...files,
  ]);
  const counts = countTap(output);
  // bats may fail as a whole: a file that does not parse.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** The picture and the page of a fleet in a real browser. */
async function browser(): Promise<Counts> {
  if (findBrowser() === undefined) await ensurePackages(BROWSER);
  return await jest("browser", []);
}

/** The engine's stand-ins with a real Pulumi and a real sshd; the ready stack files up to their plans. */
async function engine(): Promise<Counts> {
  await ensurePackages(SSH_TOOLS);
  return await jestWithGo("engine", TWO_AT_ONCE, withoutGo());
}

/** From nothing to agents on a real VM, and back. */
async function e2e(): Promise<Counts> {
  await ensureVmTools();
  await ensurePackages(SCAN_TOOLS);
  return await jestWithGo("e2e", TWO_AT_ONCE, withoutGo() ?? (await withoutPort22()));
}

/** Why a VM cannot have port 22 of a loopback address, as a server in a cloud has of its own one. */
async function withoutPort22(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ message }) => {
      resolve(`${message}; it takes root on Linux, and no SSH server on every address`);
    });
    server.listen(22, "127.64.0.1", () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

/** The whole fault matrix on one VM; its results become docs/reliability.md. */
async function faults(): Promise<Counts> {
  await ensureVmTools();
  return await recorded("faults", "FLEET_FAULTS_RECORD", "docs/reliability.md");
}

/** The claims of every system, each on a VM of its own; their results become docs/systems.md. */
async function systems(): Promise<Counts> {
  await ensureVmTools();
  await ensurePackages(SCAN_TOOLS);
  return await recorded("systems", "FLEET_SYSTEMS_RECORD", "docs/systems.md");
}

/** The agent-ready image: made twice, checked, booted. */
async function image(): Promise<Counts> {
  await ensureVmTools();
  return await jest("image", ["--runInBand"]);
}

/** Agents of three kinds side by side on one VM. */
async function mixed(): Promise<Counts> {
  await ensureVmTools();
  return await jest("mixed", ["--runInBand"]);
}

/** A layer whose results are kept, and the page that is made from them. */
async function recorded(
  layer: keyof typeof ON_REQUEST,
  record: string,
  page: string,
): Promise<Counts> {
  const counts = await jest(layer, ["--runInBand"], { [record]: "1" });
  const generate = ["--require", "./toolchain/transpile.cjs", `tests/${layer}/generate.ts`];
  const { code } = await step(page, [process.execPath, ...generate], { quiet: true });
  return code === 0 ? counts : { ...counts, failed: counts.failed + 1 };
}

async function ensureVmTools(): Promise<void> {
  await ensurePackages(SSH_TOOLS);
  const { ensureTools } = await import("../../vm/tools");
  await ensureTools(say);
}

/** Jest; without the layer's tests that build stand-ins where there is a reason why they cannot run here. */
async function jestWithGo(
  layer: keyof typeof GO_TESTS,
  options: readonly string[],
  why: string | undefined,
): Promise<Counts> {
  if (why === undefined) return await jest(layer, options);
  const tests = GO_TESTS[layer];
  const counts = await jest(layer, options, { FLEET_TESTS_WITHOUT: tests });
  return { ...counts, skipped: [...counts.skipped, `${tests}: ${why}`] };
}

async function jest(
  layer: string,
  options: readonly string[],
  env: Readonly<NodeJS.ProcessEnv> = {},
): Promise<Counts> {
  const folder = temporaryFolder("jest");
  const report = join(folder, "report.json");
  try {
    const { code } = await step(
      `jest ${layer}`,
      [bin("jest"), "--json", `--outputFile=${report}`, "--passWithNoTests", ...options],
      { env: { FLEET_TESTS: layer, ...env } },
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
