/** The agent-ready image for real: made, checked and booted as a local VM. */
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageFiles } from "../../vm/agent/names";
import { run, type Result } from "../e2e/support/clone";
import { ExistingMachine } from "../e2e/support/existing-machine";
import { until } from "../e2e/support/wait";

const PROJECT = join(__dirname, "../..");
const base = mkdtempSync(join(tmpdir(), "fleet-image-"));
const disk = join(base, "first", imageFiles.disk);
const machine = new ExistingMachine(join(base, "machine"), { image: disk, user: "agent" });

jest.setTimeout(1_800_000);

beforeAll(async () => {
  await ok("image", "build", join(base, "first"));
});
afterAll(async () => {
  await machine.destroy();
  rmSync(base, { recursive: true });
});

test("every claim holds", async () => {
  expect((await ok("image", "verify", disk)).stdout).toMatch(/^\d+ passed, 0 failed$/m);
});

describe("booted", () => {
  beforeAll(async () => {
    await machine.boot();
  });

  test("the key of the seed lets agent in, who may become root", async () => {
    expect(await machine.run("id -un; id -u; sudo -n id -u")).toBe("agent\n1000\n0");
  });

  test("a password does not", async () => {
    const options = ["PubkeyAuthentication=no", "StrictHostKeyChecking=no", "BatchMode=yes"];
    const { code, output } = await run(
      "ssh",
      [
        ...["-F", "none", "-p", String(machine.sshPort), "-o", "UserKnownHostsFile=/dev/null"],
        ...[...options.flatMap((option) => ["-o", option]), "agent@127.0.0.1", "true"],
      ],
      { cwd: base, input: "" },
    );
    expect([code, output]).toEqual([255, expect.stringContaining("Permission denied (publickey)")]);
  });

  test("nothing has failed, and the tools run", async () => {
    expect(await machine.run("systemctl --failed --no-legend --plain")).toBe("");
    for (const tool of [
      "node",
      "pnpm",
      "opencode",
      "git",
      "python3",
      "gcc",
      "make",
      "pkg-config",
    ]) {
      await machine.run(`${tool} --version`);
    }
    await machine.run("ip -V");
  });

  test("two sessions of OpenCode by name are healthy, each in its own folder", async () => {
    await machine.run("mkdir -p ~/.config/opencode && echo PORT=4097 >~/.config/opencode/y.env");
    await machine.run("systemctl --user start opencode@x opencode@y");
    await healthy(4096);
    await healthy(4097);
    for (const session of ["x", "y"]) {
      const folder = await machine.run(`readlink /proc/${await mainPid(session)}/cwd`);
      expect(folder).toBe(`/home/agent/workspaces/${session}`);
    }
  });

  test("a session that is killed comes back", async () => {
    const before = await mainPid("x");
    await machine.run(`kill -9 ${before}`);
    await until("another process", 60, async () => !["0", before].includes(await mainPid("x")));
    await healthy(4096);
  });
});

test("a second build gives the same bytes", async () => {
  await ok("image", "build", join(base, "second"));
  const manifests = ["first", "second"].map((name) =>
    readFileSync(join(base, name, imageFiles.manifest), "utf8"),
  );
  expect(manifests[1]).toBe(manifests[0]);
});

async function ok(...args: readonly string[]): Promise<Result> {
  const result = await run(join(PROJECT, "fleet"), args, { cwd: PROJECT, input: "" });
  if (result.code !== 0) throw new Error(`./fleet ${args.join(" ")}:\n${result.output}`);
  return result;
}

async function healthy(port: number): Promise<void> {
  const url = `http://127.0.0.1:${String(port)}/global/health`;
  await until(url, 300, async () => {
    const { stdout } = await machine.tryRun(`wget -qO- -T 20 ${url}`);
    return /"healthy":\s*true/.test(stdout);
  });
}

async function mainPid(session: string): Promise<string> {
  return machine.run(`systemctl --user show -P MainPID opencode@${session}`);
}
