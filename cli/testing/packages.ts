import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure, say } from "../say";
import { step } from "./step";

/** Programs that the tests run, and the Debian package of each. */
export const SHELL_TOOLS = {
  shellcheck: "shellcheck",
  shfmt: "shfmt",
  bats: "bats",
  "systemd-analyze": "systemd",
};
export const NETWORK_TOOLS = { nft: "nftables", ip: "iproute2", unshare: "util-linux" };
/** Without root nobody is outside of a VM, and nothing is scanned. */
export const SCAN_TOOLS =
  process.getuid?.() === 0
    ? { nmap: "nmap", ip: "iproute2", nsenter: "util-linux", unshare: "util-linux" }
    : {};
/** Those that completion is for; bash is everywhere. */
export const SHELLS = { zsh: "zsh", fish: "fish" };
export const SSH_TOOLS = { ssh: "openssh-client", sshd: "openssh-server" };
/** Where none of those that `findBrowser` knows is there. */
export const BROWSER = { "chromium-headless-shell": "chromium-headless-shell" };

/**
 * Installs what is missing by apt, as root or by sudo without a password.
 * @throws Failure that says what to install, where that may not be done
 */
export async function ensurePackages(tools: Readonly<Record<string, string>>): Promise<void> {
  const missing = Object.entries(tools).filter(([program]) => !isThere(program));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const mayInstall = isThere("apt-get") && (sudo.length === 0 || quietly("sudo", "-n", "true"));
  const install = ["apt-get", "install", "-y", "--no-install-recommends", ...packages];
  if (mayInstall) {
    say(`installing for the tests: ${packages.join(" ")}`);
    const apt = (...args: string[]) =>
      step("apt-get", [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", ...args], { quiet: true });
    if ((await apt(...install)).code === 0) return;
    await apt("apt-get", "update");
    if ((await apt(...install)).code === 0) return;
  }
  const programs = missing.map(([program]) => program).join(", ");
  throw new Failure(
    `the tests need ${programs}; install with: sudo apt-get install ${packages.join(" ")}`,
  );
}

/** The path of a browser; any of these will do. */
export function findBrowser(): string | undefined {
  const names = [...Object.keys(BROWSER), "chromium", "google-chrome"];
  return names.flatMap((name) => pathOf(name) ?? [])[0];
}

function isThere(program: string): boolean {
  return pathOf(program) !== undefined;
}

/** Where a program is on PATH, or where only an administrator's PATH leads. */
function pathOf(program: string): string | undefined {
  const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function quietly(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
