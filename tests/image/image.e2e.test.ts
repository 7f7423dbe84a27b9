/** The agent-ready image for real: made, checked, booted as a local VM, and as the image of a stack's host. */
import { randomBytes } from "node:crypto";
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageFiles } from "../../vm/agent/names";
import { Clone, run, type Result } from "../e2e/support/clone";
import { ExistingMachine } from "../e2e/support/existing-machine";
import { until } from "../e2e/support/wait";

const PROJECT = join(__dirname, "../..");
/** Fewer than the archive of Bun has. */
const RUNTIME_BYTES = 20_000_000;
const base = mkdtempSync(join(tmpdir(), "fleet-image-"));
const disk = join(base, "first", imageFiles.disk);
const machine = new ExistingMachine(join(base, "machine"), { image: disk, user: "agent" });

jest.setTimeout(1_800_000);

beforeAll(async () => {
  await build("first");
});
afterAll(() => {
  rmSync(base, { recursive: true });
});

test("every claim holds", async () => {
  expect((await ok("image", "verify", disk)).stdout).toMatch(/^\d+ passed, 0 failed$/m);
});

describe("booted", () => {
  beforeAll(async () => {
    await machine.boot();
  });
  afterAll(async () => {
    await machine.destroy();
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

describe("as the image of a host whose agents are baked", () => {
  const clone = new Clone();
  afterAll(async () => {
    try {
      await clone.fleet(["destroy", "--yes"]);
    } finally {
      clone.remove();
    }
  });
  const received = async () =>
    Number(await clone.on("vm-1", "cat /sys/class/net/e*/statistics/rx_bytes"));

  test("up brings agents to available, sends neither runtime nor release, and finds all as it was brought", async () => {
    const local = `provider: local\n      size: 2cpu-1gb-10gb\n      image: ${disk}`;
    clone.write("Pulumi.dev.yaml", clone.file("Pulumi.dev.yaml").replace("provider: local", local));
    const { stdout } = await clone.ok(["up"]);
    for (const name of ["agent-vm-1", "agent-vm-2"]) {
      expect(stdout).toMatch(new RegExp(`${name} +vm-1 +available`));
    }
    expect(await received()).toBeLessThan(RUNTIME_BYTES / 4);
    await clone.ok(["diff"]);
  });

  test("a release that is another one by now is sent as to any host", async () => {
    const entry = "examples/compute-agent/src/index.ts";
    clone.write(entry, clone.file(entry).replace('"listening"', '"listening well"'));
    clone.write("examples/compute-agent/ballast", randomBytes(RUNTIME_BYTES / 10).toString("hex"));
    const before = await received();
    expect((await clone.ok(["up"])).output).toMatch(/-upload updated/);
    expect((await received()) - before).toBeGreaterThan(RUNTIME_BYTES / 10);
    expect(await clone.on("vm-1", "ls /opt/tseeder-agent/releases | wc -l")).toBe("2");
  });
});

test("a second build gives the same bytes", async () => {
  await build("second");
  const manifests = ["first", "second"].map((name) =>
    readFileSync(join(base, name, imageFiles.manifest), "utf8"),
  );
  expect(manifests[1]).toBe(manifests[0]);
});

/** With the agents of the project's own stack file. */
async function build(name: string): Promise<void> {
  await ok("image", "build", join(base, name), "--bake", "-s", "dev");
}

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
