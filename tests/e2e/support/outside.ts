/**
 * Machines beside a VM: a network namespace of its own, joined by a tap to a second network card of the VM, with the
 * addresses of those who may reach an agent and of those who may not. Port scans come from there, past QEMU's user
 * network and its forwards. It takes root on Linux; nothing outside of the namespace and the VM is asked or changed.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { accessSync, constants, mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { qemuProgram } from "../../../vm/qemu";
import { findProgram, hostArch } from "../../../vm/tools";
import { run } from "./clone";
import { parseStates, summary, type Scan } from "./nmap";
import { until } from "./wait";

/** Who knocks: IPv4 and IPv6 address. */
const CALLERS = {
  stranger: ["10.77.0.20", "fd77::20"],
  /** For `privateFrom`. */
  friend: ["10.77.0.10", "fd77::10"],
  /** In one of the ranges that Cloudflare publishes. */
  cloudflare: ["173.245.48.10", "2606:4700::10"],
} as const;
export type Caller = keyof typeof CALLERS;

/** The caller's addresses, for `privateFrom`. */
export function rangesOf(caller: Caller): string[] {
  const [v4, v6] = CALLERS[caller];
  return [`${v4}/32`, `${v6}/128`];
}

type Family = 4 | 6;
type Protocol = "tcp" | "udp";

interface ScanOptions {
  /** @default 4 */
  readonly over?: Family;
  /** Such as `22,8000-8010`. @default - all of them */
  readonly ports?: string;
  /** A firewall there drops whatever it does not let in. @default false */
  readonly dropsAll?: boolean;
}

/** Silence of more ports is no loss on the way. */
const LOST_AT_MOST = 8192;

/** nmap's words for a port that does not answer, or not for itself. */
const SILENT = ["filtered", "open|filtered"];

const VM = { 4: "10.77.0.2", 6: "fd77::2" } as const;
/** Of one scan; one that takes longer has not asked every port, which fails the test. */
const SCAN_SECONDS = 240;

/** The second card in the VM. Limits on ICMP are lifted, or nearly all of the closed UDP ports would be silent. */
const ON_THE_VM = `
cat >/etc/systemd/network/70-outside.network <<'UNIT'
[Match]
Name=eth1
[Network]
Address=${VM[4]}/24
Address=${VM[6]}/64
IPv6AcceptRA=no
[Route]
Destination=173.245.48.0/20
Scope=link
[Route]
Destination=2606:4700::/64
UNIT
cat >/etc/sysctl.d/70-outside.conf <<'CONF'
net.ipv4.icmp_ratelimit = 0
net.ipv4.icmp_msgs_per_sec = 1000000
net.ipv4.icmp_msgs_burst = 1000000
net.ipv6.icmp.ratelimit = 0
CONF
sysctl -q -p /etc/sysctl.d/70-outside.conf
systemctl restart systemd-networkd
`;

/** Why there can be none on this machine. */
function noOutside(): string | undefined {
  if (process.platform !== "linux") return "network namespaces need Linux";
  if (process.getuid?.() !== 0) return "a network namespace and a tap need root";
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "/dev/net/tun cannot be opened";
  }
  const absent = ["unshare", "nsenter", "ip", "nmap"].filter(
    (name) => findProgram(name) === undefined,
  );
  if (absent.length > 0) return `not found on PATH: ${absent.join(", ")}`;
  // Root of a container may be without either right. What this makes is gone with the namespace.
  const probe = ["--net", "ip", "tuntap", "add", "dev", "probe", "mode", "tap"];
  const { status, stderr } = spawnSync("unshare", probe, { encoding: "utf8" });
  return status === 0 ? undefined : `no namespace with a tap can be made: ${stderr.trim()}`;
}

/** A test that scans; where that cannot be done it is skipped, and says why. */
export function testFromOutside(name: string, body: () => Promise<void>): void {
  const why = noOutside();
  if (why === undefined) test(name, body);
  else test.skip(`${name}: ${why}`, body);
}

/** Where there can be none, VMs start as always. */
export class Outside {
  /** Names of interfaces have 15 characters at most. */
  readonly #tap = `fleet-${String(process.pid)}`;
  readonly #bin: string;
  #namespace: ChildProcess | undefined;

  /** @param base - a folder for QEMU's wrapper, removed by its owner */
  constructor(base: string) {
    this.#bin = join(base, "bin");
  }

  /** A PATH on which QEMU starts VMs with a second card. */
  path(): string {
    const before = process.env["PATH"] ?? "";
    const program = qemuProgram(hostArch());
    const real = findProgram(program);
    if (real === undefined || noOutside() !== undefined) return before;
    mkdirSync(this.#bin, { recursive: true });
    const card = `-netdev tap,id=outside,ifname=${this.#tap},script=no,downscript=no -device virtio-net-pci,netdev=outside,romfile=`;
    // Only what has a folder is a VM: QEMU is also asked whether it can use this machine's hardware.
    const script = `#!/bin/sh\ncase "$*" in *-pidfile*) exec ${real} "$@" ${card} ;; *) exec ${real} "$@" ;; esac\n`;
    writeFileSync(join(this.#bin, program), script, { mode: 0o755 });
    return `${this.#bin}:${before}`;
  }

  /** Moves the tap of the VM that runs out of this machine's network, and gives both ends their addresses. */
  async join(onVm: (script: string) => Promise<unknown>): Promise<void> {
    if (noOutside() !== undefined) return;
    // It ends with its stdin, so with this process too.
    this.#namespace = spawn("unshare", ["--net", "cat"], { stdio: ["pipe", "ignore", "inherit"] });
    const pid = String(this.#namespace.pid);
    // Before that it is in this machine's own network.
    await until("a network namespace", 10, () => {
      return readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync("/proc/self/ns/net");
    });
    await command("ip", "link", "set", this.#tap, "netns", pid);
    await this.#inside("ip", "link", "set", this.#tap, "up");
    for (const [v4, v6] of Object.values(CALLERS)) {
      await this.#inside("ip", "addr", "add", `${v4}/24`, "dev", this.#tap);
      await this.#inside("ip", "addr", "add", `${v6}/64`, "dev", this.#tap, "nodad");
    }
    await onVm(ON_THE_VM);
    await this.reached();
  }

  /** Waits until the VM answers there by both families. */
  async reached(): Promise<void> {
    for (const address of Object.values(VM)) {
      await until(`${address} answers`, 60, async () => {
        const nmap = ["nmap", "-n", "-sn", "-e", this.#tap, ...family(address), address];
        return (await this.#inside(...nmap)).includes("Host is up");
      });
    }
  }

  /** Asks every port, or those that are named. @throws Error where not all were asked in time */
  async scan(caller: Caller, protocol: Protocol, options: ScanOptions = {}): Promise<Scan> {
    const { over = 4, ports = "1-65535", dropsAll = false } = options;
    const ask = async (some: string, ...more: readonly string[]) => {
      const source = CALLERS[caller][over === 4 ? 0 : 1];
      const how = ["-n", "-Pn", "-T4", protocol === "tcp" ? "-sS" : "-sU", "-p", some, ...more];
      const where = ["-S", source, "-e", this.#tap, ...family(VM[over]), VM[over]];
      const limit = ["--host-timeout", `${String(SCAN_SECONDS)}s`];
      return parseStates(await this.#inside("nmap", ...how, ...limit, "-oX", "-", ...where), some);
    };
    // At a rate of its own choice nmap waits long for each answer that never comes.
    if (dropsAll) return summary(await ask(ports, "--max-retries", "1", "--min-rate", "4000"));
    const states = await ask(ports, "--max-retries", "6");
    const silent = [...states].filter(([, state]) => SILENT.includes(state)).map(([port]) => port);
    // A busy machine loses packets: who was silent is asked once more, alone.
    const lost = silent.length > 0 && silent.length < LOST_AT_MOST;
    const again = lost ? await ask(silent.join(",")) : [];
    return summary(new Map([...states, ...again]));
  }

  /** The tap goes with the namespace, or with QEMU. */
  remove(): void {
    this.#namespace?.kill("SIGKILL");
  }

  async #inside(...args: readonly string[]): Promise<string> {
    const why = noOutside();
    if (why !== undefined) throw new Error(why);
    return command("nsenter", "-t", String(this.#namespace?.pid), "-n", ...args);
  }
}

function family(address: string): string[] {
  return address.includes(":") ? ["-6"] : [];
}

async function command(program: string, ...args: readonly string[]): Promise<string> {
  const { code, output, stdout } = await run(program, args, { cwd: "/", input: "" });
  if (code !== 0)
    throw new Error(`${program} ${args.join(" ")}: exited ${String(code)}:\n${output}`);
  return stdout;
}
