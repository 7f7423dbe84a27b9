/** docs/vm-install.md followed word for word on a fresh machine, from the install by hand to its uninstall. */
import { mkdirSync, writeFileSync } from "node:fs";
import { hostArch } from "../../vm/tools";
import { Clone, run } from "./support/clone";
import { ExistingMachine } from "./support/existing-machine";

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

/** The shell blocks below a heading, up to the next one. */
function blocks(heading: string): string[] {
  const section = guide.split(`\n${heading}\n`)[1]?.split(/\n##/)[0] ?? "";
  const found = [...section.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) => block);
  if (found.length === 0) throw new Error(`no shell block below ${heading}`);
  return found;
}

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
  for (const block of blocks(heading)) said += await machine.run("sh -e", block);
  return said;
}

// The guide's commands are those for amd64.
const onAmd64 = hostArch() === "amd64" ? test : test.skip;

onAmd64("the guide's install by hand ends with an agent that is available", async () => {
  for (const block of blocks("### On your machine")) await onThisMachine(block);
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
