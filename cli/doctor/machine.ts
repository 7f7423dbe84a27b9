import { spawnSync } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { table } from "../table";

/** What doctor says of the machine that it runs on, one line each. */
export interface MachineFinding {
  readonly state: "ok" | "warn" | "missing";
  readonly what: string;
  readonly found: string;
  /** What to do where it is not ok. */
  readonly remedy?: string;
}

/** Of each tool and place, whether it is there. Looks only: installs, changes and starts nothing. */
export async function machineFindings(): Promise<MachineFinding[]> {
  const { backend, engine, plugins, cache } = await engineFindings();
  return [
    node(process.versions.node),
    ...engine,
    ...plugins,
    backend,
    await cache,
    ...(await vmFindings()),
    openSsh(),
  ];
}

export function renderMachine(findings: readonly MachineFinding[]): string {
  const rows = findings.map(({ state, what, found }) => [`[${state}]`, what, found]);
  const todo = findings.flatMap(({ what, remedy }) =>
    remedy === undefined ? [] : [`  ${what}: ${remedy}`],
  );
  const text = table(["state", "what", "found"], rows);
  return todo.length === 0 ? text : [text, "", "to do:", ...todo].join("\n");
}

function node(version: string): MachineFinding {
  const isFit = Number(version.split(".")[0]) >= 20;
  return isFit
    ? { state: "ok", what: "Node", found: version }
    : { state: "missing", what: "Node", found: version, remedy: "install Node 20 or newer" };
}

async function engineFindings() {
  const { inspectEngine } = await import("../../toolchain/engine");
  const { cli, plugins, cache, backend, home } = inspectEngine();
  const go = firstLine("go", ["version"]);
  const cliFindings: MachineFinding[] =
    cli === undefined
      ? [
          {
            state: "warn",
            what: "Pulumi",
            found: go === undefined ? "not there; Go is not there either" : `not there; ${go}`,
            remedy:
              "the next ./fleet up downloads it, or builds it where downloads are blocked" +
              (go === undefined ? " (for that, install Go)" : ""),
          },
        ]
      : [
          { state: "ok", what: "Pulumi", found: `${cli.version}, ${cli.source}, ${cli.pulumi}` },
          standInOr("language host", cli.language),
        ];
  return {
    engine: cliFindings,
    plugins: Object.entries(plugins).map(([name, source]) => standInOr(`plugin ${name}`, source)),
    backend: { state: "ok", what: "state", found: backend } satisfies MachineFinding,
    cache: sizeOf(cache).then((size): MachineFinding => ({
      state: "ok",
      what: "cache",
      found: `${cache} (${size}); ${home}`,
    })),
  };
}

const STAND_IN_DOCS = "toolchain/README.md says where it lies";

function standInOr(what: string, source: string): MachineFinding {
  if (source === "missing") {
    return { state: "warn", what, found: "not there", remedy: "the next ./fleet up gets it" };
  }
  return source.startsWith("stand-in")
    ? {
        state: "warn",
        what,
        found: source,
        remedy: `works; to try the official download again, remove the stand-in first (${STAND_IN_DOCS})`,
      }
    : { state: "ok", what, found: source };
}

async function vmFindings(): Promise<MachineFinding[]> {
  const { buildTools, hostArch, installCommand, missing, runTools } =
    await import("../../vm/tools");
  const absent = missing([...runTools(hostArch()), ...buildTools]);
  const emulator = firstLine(
    hostArch() === "arm64" ? "qemu-system-aarch64" : "qemu-system-x86_64",
    ["--version"],
  );
  const tools: MachineFinding =
    absent.length === 0
      ? { state: "ok", what: "local VMs", found: emulator ?? "all programs are there" }
      : {
          state: "warn",
          what: "local VMs",
          found: `not there: ${absent.map(({ programs }) => programs[0]).join(", ")}`,
          remedy: `the next ./fleet up with a local VM installs them, or: ${installCommand(absent, process.platform === "darwin" ? "brew" : "apt")}`,
        };
  return emulator === undefined ? [tools] : [tools, await acceleration()];
}

async function acceleration(): Promise<MachineFinding> {
  const { chooseAccel } = await import("../../vm/accel");
  const { hostArch } = await import("../../vm/tools");
  const reasons: string[] = [];
  const accel = await chooseAccel(hostArch(), undefined, (line) => reasons.push(line));
  return accel === "tcg"
    ? {
        state: "warn",
        what: "acceleration",
        found: "tcg (emulation)",
        remedy: `local VMs are several times slower${reasons.length > 0 ? `: ${reasons.join("; ")}` : ""}; use a machine with KVM, or wait longer`,
      }
    : { state: "ok", what: "acceleration", found: accel };
}

function openSsh(): MachineFinding {
  const found = firstLine("ssh", ["-V"]);
  return found === undefined
    ? {
        state: "missing",
        what: "ssh",
        found: "not there",
        remedy: "install openssh-client, for ./fleet ssh and status",
      }
    : { state: "ok", what: "ssh", found };
}

/** What a program says of itself; undefined if it is not there. */
function firstLine(program: string, args: readonly string[]): string | undefined {
  const { stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 10_000 });
  if (error !== undefined) return undefined;
  return (stdout === "" ? stderr : stdout).split("\n")[0];
}

async function sizeOf(folder: string): Promise<string> {
  let bytes = 0;
  try {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
  } catch {
    return "empty";
  }
  return `${String(Math.round(bytes / 1e6))} MB`;
}
