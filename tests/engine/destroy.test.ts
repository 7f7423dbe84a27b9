/** `./fleet destroy` under the real engine: two machines that exist, of which one cannot be cleaned any more. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Sshd } from "../toolchain/support/sshd";

const PROJECT = join(__dirname, "../..");
const HOST_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5${"A".repeat(48)}`;

let clone: string;
let office: Sshd;
let lab: Sshd;

beforeEach(async () => {
  office = await Sshd.start();
  lab = await Sshd.start();
  clone = mkdtempSync(join(tmpdir(), "fleet-destroy-"));
  for (const part of ["cli", "stacks", "components", "toolchain", "vm", "assets", "examples"]) {
    cpSync(join(PROJECT, part), join(clone, part), { recursive: true });
  }
  for (const file of ["package.json", "package-lock.json", "Pulumi.yaml"]) {
    cpSync(join(PROJECT, file), join(clone, file));
  }
  symlinkSync(join(PROJECT, "node_modules"), join(clone, "node_modules"));
  writeFileSync(
    join(clone, "Pulumi.dev.yaml"),
    `config:
  agent-fleet:hosts:
    office: { provider: ssh, address: 127.0.0.1, hostKey: ${HOST_KEY}, agents: { one: {} } }
  agent-fleet:defaults: { source: examples/compute-agent }
  agent-fleet:secrets: { WORKER_CLUSTER_TOKEN: t, CALLBACK_SIGNING_SECRET: s }
`,
  );
  program();
  const { code, output } = await fleet("up", "--yes");
  expect(`${String(code)} ${output}`).toMatch(/^0 /);
}, 300_000);
afterEach(() => {
  rmSync(clone, { recursive: true, force: true });
  office.end();
  lab.end();
});

/**
 * Hosts as the program makes them, with steps that only write down that they were undone. Agents in
 * two waves with a gate between them: in each wave one on either host.
 */
function program(): void {
  const host = (sshd: Sshd) => ({
    address: "127.0.0.1",
    port: sshd.port,
    user: sshd.user,
    hostKey: sshd.read("host-ed25519.pub").trim(),
    privateKey: sshd.read("user"),
  });
  writeFileSync(
    join(clone, "index.ts"),
    `import * as pulumi from "@pulumi/pulumi";
import { gate, remoteStep } from "./components/remote/step";

class SshHost extends pulumi.ComponentResource {
  constructor(readonly name: string) { super("agent-fleet:host:SshHost", name); }
}
const hosts = ${JSON.stringify({ office: host(office), lab: host(lab) })};
const parents = { office: new SshHost("office"), lab: new SshHost("lab") };
const step = (name: string, where: "office" | "lab", dependsOn: pulumi.Resource[]) =>
  remoteStep(name + "@" + where, { timeoutSeconds: 30,
    on: { connection: hosts[where], machine: "m", ownedBy: undefined },
    run: ["true"], undo: ["sh", "-c", 'echo "$1" >>${clone}/journal', "undo", name] },
    { parent: parents[where], dependsOn });
const setups = { office: step("setup-office", "office", []), lab: step("setup-lab", "lab", []) };
const first = [step("one", "office", [setups.office]), step("two", "lab", [setups.lab])];
const before = [gate("after-wave-1", first)];
step("three", "office", [setups.office, ...before]);
step("four", "lab", [setups.lab, ...before]);
`,
  );
}

/** What was undone, in alphabetical order. */
function undone(): string[] {
  const journal = join(clone, "journal");
  return existsSync(journal) ? readFileSync(journal, "utf8").trim().split("\n").sort() : [];
}

async function fleet(...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(
    process.execPath,
    ["--require", "./toolchain/transpile.cjs", "cli/main.ts", ...args],
    { cwd: clone, env: { ...process.env, SSH_AUTH_SOCK: "" }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const code = await new Promise<number>((resolve) => {
    child.once("close", (status) => {
      resolve(status ?? 255);
    });
  });
  return { code, output };
}

test("a machine that refuses connections is named with its reason and the way by hand, and given up it ends the rest", async () => {
  await office.stop();
  const failed = await fleet("destroy", "--yes");
  expect(failed.code).not.toBe(0);
  expect(failed.output).toContain("office is not cleaned: it refuses the connection");
  expect(failed.output).toContain(`echo "$1" >>${clone}/journal' undo one`);
  expect(failed.output).toContain("./fleet destroy --forget office");
  expect(undone()).toEqual(["four"]);

  const { code, output } = await fleet("destroy", "--yes", "--forget", "office");
  expect(output).toContain("destroyed, but for what is left on office;");
  expect(code).toBe(0);
  expect(undone()).toEqual(["four", "setup-lab", "two"]);
  const again = await fleet("destroy", "--yes");
  expect(again.code).toBe(0);
});

test("so is one whose host key is another", async () => {
  await office.stop();
  writeFileSync(office.file("host-ed25519"), office.read("other-host"));
  await office.run();
  const { code, output } = await fleet("destroy", "--yes", "--forget", "office");
  expect(output).toContain("office is not cleaned: its host key is another one");
  expect(code).toBe(0);
  expect(undone()).toEqual(["four", "setup-lab", "two"]);
});

test("a machine that comes back is cleaned by the next destroy", async () => {
  await office.stop();
  expect((await fleet("destroy", "--yes")).code).not.toBe(0);
  await office.run();
  const { code, output } = await fleet("destroy", "--yes", "--forget", "office");
  expect(output).not.toContain("not cleaned");
  expect(code).toBe(0);
  expect(undone()).toEqual(["four", "one", "setup-lab", "setup-office", "three", "two"]);
});
