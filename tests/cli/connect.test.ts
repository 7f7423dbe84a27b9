import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { knownHosts, sshConfig } from "../../cli/connect";
import type { HostOutput } from "../../cli/outputs";

const HOSTS: Record<string, HostOutput> = {
  "vm-1": {
    provider: "local",
    address: "127.0.0.1",
    port: 2201,
    user: "root",
    hostKey: "ssh-ed25519 AAAAvm vm-1",
  },
  lab: {
    provider: "ssh",
    address: "10.0.0.2",
    port: 22,
    user: "ops",
    hostKey: "ssh-ed25519 AAAAlab",
    bastion: {
      address: "jump.example.com",
      port: 2022,
      user: "gate",
      hostKey: "ssh-ed25519 AAAAjump",
    },
  },
};

test("the keys that the stack pins are the only ones known, each for its host alone", () => {
  expect(knownHosts(HOSTS)).toBe(
    [
      "fleet-vm-1 ssh-ed25519 AAAAvm",
      "fleet-lab ssh-ed25519 AAAAlab",
      "fleet-lab-bastion ssh-ed25519 AAAAjump",
      "",
    ].join("\n"),
  );
});

test("every connection checks its host key strictly, through the jump host too", () => {
  expect(sshConfig(HOSTS, "/tmp/f", true)).toBe(`Host fleet-vm-1
  HostName 127.0.0.1
  Port 2201
  User root
  HostKeyAlias fleet-vm-1
Host fleet-lab
  HostName 10.0.0.2
  Port 22
  User ops
  HostKeyAlias fleet-lab
  ProxyJump fleet-lab-bastion
Host fleet-lab-bastion
  HostName jump.example.com
  Port 2022
  User gate
  HostKeyAlias fleet-lab-bastion
Host *
  StrictHostKeyChecking yes
  HostKeyAlgorithms ssh-ed25519
  UserKnownHostsFile "/tmp/f/known_hosts"
  GlobalKnownHostsFile none
  UpdateHostKeys no
  LogLevel ERROR
  ConnectTimeout 30
  ServerAliveInterval 15
  IdentityAgent "/tmp/f/agent"
  IdentityFile none
`);
});

test("without a key of the stack, the operator's own agent and keys are used", () => {
  expect(sshConfig(HOSTS, "/tmp/f", false)).not.toMatch(/Identity/);
});

describe("the stack's key", () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-connect-"));
  const script = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  const real = (name: string) =>
    execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();

  beforeAll(() => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    const sshPrivateKey = readFileSync(join(folder, "key"), "utf8");
    const outputs = { agents: {}, hosts: {}, sshPrivateKey };
    writeFileSync(join(folder, "outputs"), JSON.stringify(outputs));
    script("pulumi", `cat "${folder}/outputs"`);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** In a process of its own: only there PATH counts for the programs that it starts. */
  function open(options = "{}"): string {
    const program = `require("./cli/connect").withConnections(
      { pulumi: "${folder}/pulumi", env: process.env }, "dev", async () => console.log("open"), ${options})`;
    const args = ["--require", "./toolchain/transpile.cjs", "--eval", program];
    const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
    return execFileSync(process.execPath, args, {
      ...{ cwd: join(__dirname, "../.."), env },
      encoding: "utf8",
    });
  }

  test("waits for an ssh-agent whose socket is there before it listens", () => {
    script("ssh-agent", `: >"$3"; sleep 0.5; rm "$3"; exec ${real("ssh-agent")} "$@"`);
    expect(open()).toBe("open\n");
    rmSync(join(folder, "ssh-agent"));
  });

  test.each([
    ["{}", "-q -t 120 -\n"],
    ["{ staysOpen: true }", "-q -\n"],
  ])(
    "is forgotten after a while, but where connections go on being made: %s",
    (options, expected) => {
      script("ssh-add", `echo "$*" >"${folder}/added"; exec ${real("ssh-add")} "$@"`);
      expect(open(options)).toBe("open\n");
      expect(readFileSync(join(folder, "added"), "utf8")).toBe(expected);
    },
  );
});
