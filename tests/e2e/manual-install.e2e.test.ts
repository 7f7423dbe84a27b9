/** docs/vm-install.md followed word for word on a fresh machine: install by hand, uninstall, and the quick start. */
import { mkdirSync, writeFileSync } from "node:fs";
import { hostArch } from "../../vm/tools";
import { Clone, run } from "./support/clone";
import { ExistingMachine } from "./support/existing-machine";
import { follow, shellBlocks } from "./support/guide";

const clone = new Clone();
const machine = new ExistingMachine(clone.path("existing"));
const guide = clone.file("docs/vm-install.md");
let before: string;

beforeAll(async () => {
  await machine.boot();
  before = await machine.snapshot();
});

afterAll(async () => {
  try {
    await machine.destroy();
  } finally {
    clone.remove();
  }
});

/** The guide's address leads to the machine; all else of its commands is as it stands there. */
async function onThisMachine(block: string): Promise<void> {
  const bin = clone.path("bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(clone.path("key"), machine.privateKey("root"), { mode: 0o600 });
  writeFileSync(
    clone.path("ssh_config"),
    [
      "Host 203.0.113.7",
      "  HostName 127.0.0.1",
      `  Port ${String(machine.sshPort)}`,
      `  IdentityFile ${clone.path("key")}`,
      "  IdentitiesOnly yes",
      "  StrictHostKeyChecking no",
      "  UserKnownHostsFile /dev/null",
      "",
    ].join("\n"),
  );
  const real = process.env["PATH"] ?? "";
  const scp = `#!/bin/sh\nPATH='${real}' exec scp -F ${clone.path("ssh_config")} "$@"\n`;
  writeFileSync(`${bin}/scp`, scp, { mode: 0o755 });
  const env = { ...clone.env, PATH: `${bin}:${real}` };
  const { code, output } = await run("sh", ["-e"], { cwd: clone.folder, input: block, env });
  if (code !== 0) throw new Error(`${block}: exited ${String(code)}:\n${output}`);
}

async function onTheVm(heading: string): Promise<string> {
  let said = "";
  for (const block of shellBlocks(guide, heading)) said += await machine.run("sh -e", block);
  return said;
}

// The guide's commands are those for amd64.
const onAmd64 = hostArch() === "amd64" ? test : test.skip;

onAmd64("the guide's install by hand ends with an agent that is available", async () => {
  for (const block of shellBlocks(guide, "### On your machine")) await onThisMachine(block);
  await onTheVm("### On the VM, as root");
  expect(await onTheVm("## Health check")).toMatch(/^200 \{"status":"available"/);
});

onAmd64("its agent is shut in and its port closed, as one of ./fleet's is", async () => {
  const exposure = await machine.run(
    "systemd-analyze security --no-pager tseeder-agent@agent-vm-1 | tail -n 1",
  );
  expect(Number(/exposure level .*: ([0-9.]+)/.exec(exposure)?.[1])).toBeLessThanOrEqual(1.2);
  const url = `http://127.0.0.1:${String(machine.agentPort)}/health`;
  await expect(fetch(url, { signal: AbortSignal.timeout(5_000) })).rejects.toThrow();
});

onAmd64("its uninstall leaves the machine as it was found", async () => {
  await onTheVm("## Uninstall");
  expect(await machine.snapshot()).toBe(before);
});

/** A line of a guide, with the machine's address and host key in place of the guide's. */
async function followHere(line: string): Promise<string> {
  const here = line
    .replace("203.0.113.7", `127.0.0.1 --port ${String(machine.sshPort)}`)
    .replace("ssh-ed25519 AAAA…", machine.hostKey);
  return follow(clone, here);
}

test("the guide's quick start, line by line, ends with an agent that is available; README's last line takes it away", async () => {
  const [clones, scan = "", init = "", up = "", status = ""] =
    shellBlocks(guide, "## Quick start")[0]?.split("\n") ?? [];
  expect(clones).toMatch(/^git clone /);
  expect(await followHere(scan)).toContain(`hostKey: ${machine.hostKey}\n`);
  const key = /^ {2}(ssh-ed25519 \S+ agent-fleet-office)$/m.exec(await followHere(init))?.[1] ?? "";
  await machine.run("cat >>/root/.ssh/authorized_keys", `${key}\n`);
  await followHere(up);
  expect(await followHere(status)).toMatch(/^agent-vm-1 +vm-1 +available /m);
  const [, , destroy = ""] =
    shellBlocks(clone.file("README.md"), "## Your own machine")[0]?.split("\n") ?? [];
  expect(destroy).toBe("./fleet destroy -s office");
  await followHere(destroy);
  expect(await machine.run("ls /opt /etc | grep tseeder || :")).toBe("");
});
