/** The programs that a local VM needs, and how they get here. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Arch, qemuProgram } from "./qemu";
import { run, type Say, toolEnv } from "./run";

/** Any one of them makes the seed. */
export const isoMakers = ["genisoimage", "mkisofs", "xorrisofs"] as const;

interface Tool {
  /** Any one of these programs will do. */
  readonly programs: readonly string[];
  readonly apt: string;
  readonly dnf: string;
  readonly pacman: string;
  readonly brew: string;
}

type Manager = "apt" | "dnf" | "pacman" | "brew";

export function hostArch(): Arch {
  return process.arch === "arm64" ? "arm64" : "amd64";
}

/** Without these there is no VM. */
export function runTools(arch: Arch): Tool[] {
  const arm = arch === "arm64";
  return [
    {
      programs: [qemuProgram(arch)],
      apt: arm ? "qemu-system-arm" : "qemu-system-x86",
      dnf: arm ? "qemu-system-aarch64-core" : "qemu-system-x86-core",
      pacman: arm ? "qemu-system-aarch64" : "qemu-base",
      brew: "qemu",
    },
    {
      programs: ["qemu-img"],
      apt: "qemu-utils",
      dnf: "qemu-img",
      pacman: "qemu-img",
      brew: "qemu",
    },
    {
      programs: isoMakers,
      apt: "genisoimage",
      dnf: "genisoimage",
      pacman: "cdrtools",
      brew: "cdrtools",
    },
  ];
}

/** With these the image is made from Debian packages; without them Debian's own cloud image is fetched. */
export const buildTools: readonly Tool[] = [
  {
    programs: ["mmdebstrap"],
    apt: "mmdebstrap",
    dnf: "mmdebstrap",
    pacman: "mmdebstrap",
    brew: "",
  },
  {
    programs: ["mkfs.ext4"],
    apt: "e2fsprogs",
    dnf: "e2fsprogs",
    pacman: "e2fsprogs",
    brew: "e2fsprogs",
  },
];

/** They take an agent-ready image apart: its disk and its kernel. */
const imageTools: readonly Tool[] = [
  {
    programs: ["debugfs"],
    apt: "e2fsprogs",
    dnf: "e2fsprogs",
    pacman: "e2fsprogs",
    brew: "e2fsprogs",
  },
  {
    programs: ["lz4"],
    apt: "lz4",
    dnf: "lz4",
    pacman: "lz4",
    brew: "lz4",
  },
  {
    programs: ["zstd"],
    apt: "zstd",
    dnf: "zstd",
    pacman: "zstd",
    brew: "zstd",
  },
];

/** Someone who is not root builds in a user namespace. */
const namespaceTools: readonly Tool[] = [
  {
    programs: ["newuidmap"],
    apt: "uidmap",
    dnf: "shadow-utils",
    pacman: "shadow",
    brew: "",
  },
];

/** The path of a program, also where only an administrator's PATH leads. */
export function findProgram(name: string): string | undefined {
  const folders = (toolEnv["PATH"] ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/** The tools that are not here. */
export function missing(tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => tool.programs.every((name) => findProgram(name) === undefined));
}

/** The command that installs them, for a person to paste. */
export function installCommand(tools: readonly Tool[], manager: Manager): string {
  const packages = [...new Set(tools.map((tool) => tool[manager]).filter(Boolean))].join(" ");
  const verb: Record<Manager, string> = {
    apt: "sudo apt-get install --no-install-recommends",
    dnf: "sudo dnf install",
    pacman: "sudo pacman -S",
    brew: "brew install",
  };
  return `${verb[manager]} ${packages}`;
}

/** The image can be made here from Debian packages. */
export function canBuild(): boolean {
  return process.platform === "linux" && missing(neededToBuild()).length === 0;
}

/**
 * Installs what a local VM needs, with apt, where this user may do so without a password; a second call does nothing.
 * @throws Error with the command to run, if something that cannot be done without is missing
 */
export async function ensureTools(say: Say): Promise<void> {
  const required = runTools(hostArch());
  const wanted = [...required, ...(process.platform === "linux" ? neededToBuild() : [])];
  await ensure("a local VM", { wanted, required }, say);
}

/** The same for an agent-ready image, which is not had without making it. */
export async function ensureImageTools(say: Say): Promise<void> {
  const required = [...neededToBuild(), ...imageTools];
  await ensure("an agent-ready image", { wanted: required, required }, say);
}

async function ensure(
  what: string,
  { wanted, required }: { readonly wanted: readonly Tool[]; readonly required: readonly Tool[] },
  say: Say,
): Promise<void> {
  const absent = missing(wanted);
  if (absent.length === 0) return;
  const root = process.getuid?.() === 0;
  if (findProgram("apt-get") && (root || (await sudoWithoutPassword()))) {
    await installWithApt(what, absent, root ? [] : ["sudo", "-n"], say);
  }
  const still = missing(required);
  if (still.length > 0) throw new Error(adviceFor(what, still));
}

function neededToBuild(): Tool[] {
  return [...buildTools, ...(process.getuid?.() === 0 ? [] : namespaceTools)];
}

async function installWithApt(
  what: string,
  tools: readonly Tool[],
  prefix: string[],
  say: Say,
): Promise<void> {
  const packages = [...new Set(tools.map((tool) => tool.apt))];
  say(`installing ${packages.join(", ")} with apt: ${what} needs them`);
  const apt = async (...args: string[]): Promise<string> => {
    const command = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args];
    return run(command[0] ?? "", command.slice(1));
  };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  try {
    await apt(...install);
  } catch {
    // Most often the package lists are missing or old.
    await apt("update");
    await apt(...install);
  }
}

async function sudoWithoutPassword(): Promise<boolean> {
  return findProgram("sudo") !== undefined
    ? run("sudo", ["-n", "true"]).then(
        () => true,
        () => false,
      )
    : false;
}

function adviceFor(what: string, tools: readonly Tool[]): string {
  const names = tools.map((tool) => tool.programs.join(" or ")).join(", ");
  const managers: readonly Manager[] = ["apt", "dnf", "pacman", "brew"];
  const commands = managers.map((manager) => `  ${installCommand(tools, manager)}`).join("\n");
  return `${what} needs ${names}, not found on PATH; install with the one that fits:\n${commands}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
