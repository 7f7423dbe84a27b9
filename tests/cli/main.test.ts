import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { PLUGINS } from "../../toolchain/versions";
import { until } from "../e2e/support/wait";

const PROJECT = join(__dirname, "../..");
const HOST_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5${"A".repeat(48)}`;
const UP =
  "up --stack dev --yes --skip-preview --parallel 8 --message up BY --event-log LOG --suppress-outputs " +
  "--suppress-permalink=true --suppress-progress --color never";

/** A clone with a Pulumi that only writes down how it is called. */
let clone: string;
let bin: string;
let log: string;
let home: string;

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "cli-clone-"));
  for (const part of ["cli", "stacks", "components", "toolchain", "vm", "assets", "package.json"]) {
    cpSync(join(PROJECT, part), join(clone, part), { recursive: true });
  }
  copyFileSync(join(PROJECT, "package-lock.json"), join(clone, "package-lock.json"));
  cpSync(join(PROJECT, "examples"), join(clone, "examples"), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules"), join(clone, "node_modules"));
  home = join(clone, "home");
  bin = join(clone, "bin");
  log = join(clone, "log");
  mkdirSync(bin);
  for (const program of ["pulumi", "pulumi-language-nodejs"]) {
    copyFileSync(join(__dirname, "fake-pulumi"), join(bin, program));
    chmodSync(join(bin, program), 0o755);
  }
  for (const [name, version] of Object.entries(PLUGINS)) {
    const folder = join(home, "pulumi", "plugins", `resource-${name}-v${version}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `pulumi-resource-${name}`), "", { mode: 0o755 });
  }
});
afterAll(() => {
  rmSync(clone, { recursive: true });
});
beforeEach(() => {
  rmSync(log, { force: true });
  rmSync(join(clone, "state"), { recursive: true, force: true });
  mkdirSync(join(clone, "state"));
});

function stackFile(
  secrets: readonly string[] = ["WORKER_CLUSTER_TOKEN", "CALLBACK_SIGNING_SECRET"],
) {
  writeFileSync(
    join(clone, "Pulumi.dev.yaml"),
    `config:
  agent-fleet:hosts:
    office:
      provider: ssh
      address: 203.0.113.7
      hostKey: ${HOST_KEY}
      agents: { agent-office: {} }
  agent-fleet:defaults: { source: examples/compute-agent }
  agent-fleet:secrets: { ${secrets.map((name) => `${name}: { secure: sealed }`).join(", ")} }
`,
  );
}

const PROGRAM = ["--require", "./toolchain/transpile.cjs", "cli/main.ts"];

function environment(env: Record<string, string>): Record<string, string> {
  return {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    AGENT_FLEET_CACHE: join(home, "cache"),
    PULUMI_HOME: join(home, "pulumi"),
    PULUMI_BACKEND_URL: `file://${join(clone, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "x",
    FAKE_LOG: log,
    ...env,
  };
}

function fleet(args: readonly string[], env: Record<string, string> = {}) {
  const result = spawnSync(process.execPath, [...PROGRAM, ...args], {
    ...{ cwd: clone, encoding: "utf8" },
    env: environment(env),
  });
  const calls = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
  return {
    code: result.status,
    stdout: result.stdout,
    stderr: result.stderr,
    calls: calls.map((line) =>
      line
        .replace(/--event-log \S+/, "--event-log LOG")
        .replace(`by ${userInfo().username} on ${hostname()}`, "BY"),
    ),
  };
}

describe("up", () => {
  test("starts Pulumi once when stack and secrets are there", () => {
    stackFile();
    fleet(["stack", "init", "dev"]);
    rmSync(log);
    const { code, stderr, stdout, calls } = fleet(["up", "--yes"]);
    expect(stderr.trim()).toBe("stack dev: nothing had to be changed");
    expect(calls).toEqual([UP]);
    expect(stdout).toBe("stack dev has no agents\n");
    expect(code).toBe(0);
  });

  test("makes the stack and the missing secrets, which go in on stdin alone", () => {
    stackFile(["WORKER_CLUSTER_TOKEN"]);
    const { code, stderr, calls } = fleet(["up"], { FAKE_CHANGES: '{"create":3}' });
    expect(calls.slice(0, 4)).toEqual([
      "stack init dev --no-select --non-interactive",
      "config set --secret --path agent-fleet:secrets.CALLBACK_SIGNING_SECRET --stack dev --non-interactive",
      "  stdin: 43",
      UP,
    ]);
    expect(stderr).toContain("made a random CALLBACK_SIGNING_SECRET");
    expect(stderr).toContain("stack dev: done");
    expect(code).toBe(0);
  });

  test("refuses a bad configuration with all faults before Pulumi or anything else is started", () => {
    stackFile();
    const file = join(clone, "Pulumi.dev.yaml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("provider: ssh", "provider: shh") + "  agent-fleet:keep: 1\n");
    const { code, stderr, stdout, calls } = fleet(["up", "--yes"]);
    expect(stderr).toMatch(/^configuration of stack dev:\n {2}.*shh.*\n {2}.*keep.*\n$/);
    expect(stdout).toBe("");
    expect(calls).toEqual([]);
    expect(code).toBe(1);
  });

  test("gives Pulumi's exit code and says where to look", () => {
    stackFile();
    const { code, stderr } = fleet(["up", "--yes"], { FAKE_CODE: "255" });
    expect(code).toBe(255);
    expect(stderr).toContain("  ./fleet status\n  ./fleet ssh office\n");
  });

  test("of a stack without a file says how to make one", () => {
    const { code, stderr } = fleet(["up", "-s", "prod"]);
    expect(stderr).toBe(
      "stack prod: there is no Pulumi.prod.yaml; make one with: ./fleet init prod\n",
    );
    expect(code).toBe(1);
  });

  test("leaves no event log behind", () => {
    stackFile();
    fleet(["up", "--yes"]);
    expect(spawnSync("ls", ["-A", join(clone, ".fleet/tmp")], { encoding: "utf8" }).stdout).toBe(
      "",
    );
  });
});

describe("up on hosts with agents", () => {
  const hosts = {
    office: {
      ...{ provider: "ssh", address: "203.0.113.7", port: 22, user: "ops" },
      hostKey: HOST_KEY,
    },
  };
  const agents = {
    "agent-office": { host: "office", unit: "tseeder-agent@agent-office", release: "abc", url: "" },
  };
  const urn = "urn:pulumi:dev::agent-fleet::command:remote:Command::agent-office@office-activation";
  const activation = { urn, type: "command:remote:Command", inputs: { create: "run" } };
  const env = {
    FAKE_OUTPUT: JSON.stringify({ hosts, agents }),
    FAKE_STATE: JSON.stringify({ deployment: { resources: [activation] } }),
  };
  const edited = {
    ...{ what: "env file", expected: "1", found: "2" },
    changedAt: "",
    changedBy: "",
  };
  const answer = (drift: readonly object[]) => JSON.stringify({ agent: "agent-office", drift });

  /** A host that writes down what it is asked, and answers this. */
  function host(text: string): void {
    const script = `#!/bin/sh\nfor command; do :; done\necho "ssh: $command" >>"$FAKE_LOG"\necho '${text}'\n`;
    writeFileSync(join(bin, "ssh"), script, { mode: 0o755 });
    stackFile();
    fleet(["stack", "init", "dev"]);
    rmSync(log);
  }
  afterAll(() => {
    rmSync(join(bin, "ssh"));
  });
  const OUTPUT = "stack output --json --show-secrets --stack dev --non-interactive";
  const VERIFY = "ssh: sudo -n /opt/tseeder-agent/bin/verify";

  test("asks no host, unless told to", () => {
    host(answer([edited]));
    expect(fleet(["up", "--yes"], env).calls).toEqual([UP]);
  });

  test("with --verify shows the drift and marks it in the state before the plan", () => {
    host(answer([edited]));
    const { code, stderr, calls } = fleet(["up", "--yes", "--verify"], env);
    const marked = { ...activation, inputs: { create: "run drifted, to be done again" } };
    expect(calls).toEqual([
      OUTPUT,
      VERIFY,
      "stack export --stack dev --non-interactive",
      "stack import --stack dev --non-interactive",
      `  stdin: ${JSON.stringify({ deployment: { resources: [marked] } })}`,
      UP,
    ]);
    expect(stderr).toContain("agent-office  office  env file  1");
    expect(code).toBe(0);
  });

  test("with verify: always does so each time, and leaves a state without drift alone", () => {
    host(answer([]));
    const file = join(clone, "Pulumi.dev.yaml");
    writeFileSync(file, readFileSync(file, "utf8") + "  agent-fleet:verify: always\n");
    const { stderr, calls } = fleet(["up", "--yes"], env);
    expect(calls).toEqual([OUTPUT, VERIFY, UP]);
    expect(stderr).toContain("stack dev: all hosts are as deployed");
  });

  test.each([
    ["up", UP],
    [
      "destroy",
      UP.replaceAll("up ", "destroy ").replace(
        "--skip-preview",
        "--skip-preview --continue-on-error",
      ),
    ],
  ])(
    "with --no-drain, %s tells the hosts before and after, and the plan nothing",
    (command, call) => {
      host("");
      const { calls } = fleet([command, "--yes", "--no-drain"], { ...env, FAKE_CODE: "3" });
      const told = (word: string) => `ssh: sudo -n /opt/tseeder-agent/bin/no-drain ${word}`;
      expect(calls).toEqual([OUTPUT, told("3600"), call, OUTPUT, told("off")]);
    },
  );

  /** What the host tells doctor of its agent. */
  const facts = (answer: string) => {
    const seen = { systemd: 252, now: Math.floor(Date.now() / 1000), freeMiB: 5000 };
    const of = { agent: "agent-office", active: "active", ready: answer.startsWith("200") };
    const nothing = { holder: "", missing: "", spaced: "", slashed: "", unresolved: "" };
    const lines = [
      { host: { ...seen, readOnly: false, firewall: "", tunnel: "" } },
      { ...of, ...nothing, restarts: 0, answer, why: "", unreached: "", bucket: "" },
    ];
    return lines.map((line) => JSON.stringify(line)).join("\n");
  };

  test("doctor asks the hosts of a stack that is there; its exit code tells", () => {
    host(facts("403 Forbidden"));
    const sick = fleet(["doctor", "--json"], env);
    const { fleet: findings } = JSON.parse(sick.stdout) as { fleet: unknown };
    expect(findings).toMatchObject([{ agent: "agent-office", cause: "token mismatch" }]);
    expect(sick.calls).toContain("ssh: sudo -n /opt/tseeder-agent/bin/diagnose");
    expect(sick.code).toBe(1);
    host(facts("200 OK"));
    const well = fleet(["doctor", "agent-office"], env);
    expect(well.stdout).toMatch(/^STATE [^]*\n\nstack dev: nothing is wrong with agent-office\n$/);
    expect(well.code).toBe(0);
    const { code, stderr } = fleet(["doctor", "agent-home"], env);
    expect(stderr).toBe("agent agent-home: not in stack dev; expected agent-office\n");
    expect(code).toBe(1);
    expect(fleet(["doctor", "--host", "home"], env).stderr).toBe(
      "host home: not in stack dev; expected office\n",
    );
  });

  test("doctor looks at this machine alone where the stack was never brought up", () => {
    const { code, stdout, calls } = fleet(["doctor", "--json"], env);
    expect(JSON.parse(stdout)).toMatchObject({ fleet: null });
    expect(calls.filter((call) => !call.endsWith(" -V"))).toEqual([]);
    expect(code).toBe(0);
  });

  test("diff shows drift and changes nothing; its exit code tells", () => {
    host(answer([edited]));
    const { code, stdout, calls } = fleet(["diff"], env);
    expect(stdout).toMatch(/^AGENT .*\nagent-office  office  env file  1/);
    expect(calls).toEqual([OUTPUT, VERIFY]);
    expect(code).toBe(1);
    host(answer([]));
    expect(fleet(["diff"], env)).toMatchObject({
      code: 0,
      stdout: "stack dev: all hosts are as deployed\n",
    });
  });

  test("restart --all is for every agent that is not disabled; a disabled one is asked for by its name alone", () => {
    const report = { gapSeconds: 2.14, drain: "none", drainedSeconds: 0, jobsLeft: null };
    host(JSON.stringify({ agent: "agent-office", changed: true, ...report }));
    const off = { ...agents["agent-office"], unit: "tseeder-agent@off", health: "disabled" };
    const both = { FAKE_OUTPUT: JSON.stringify({ hosts, agents: { ...agents, off } }) };
    const { code, stdout, calls } = fleet(["restart", "--all"], both);
    const control = "ssh: sudo -n /opt/tseeder-agent/bin/control";
    expect(calls).toEqual([OUTPUT, `${control} restart agent-office --attended`]);
    expect(stdout).toBe("agent-office | restarted, 2.1 s without an answer\n");
    expect(code).toBe(0);
    expect(fleet(["stop", "off", "--no-drain"], both).calls.at(-1)).toBe(
      `${control} stop off --attended --no-drain`,
    );
  });

  const STATUS = expect.stringContaining("ssh: ") as string;
  const UNWELL = JSON.stringify({ agent: "agent-office", state: "unavailable" });

  test("graph gives the fleet as SVG, however it is; with --json what it tells; with --output a file", () => {
    host(UNWELL);
    const { code, stdout, calls } = fleet(["graph"], env);
    expect(stdout).toMatch(/^<svg [^]*agent-office[^]*unavailable[^]*<\/svg>\n$/);
    expect(calls).toEqual([OUTPUT, STATUS]);
    expect(code).toBe(0);
    const { hosts: told } = JSON.parse(fleet(["graph", "--json"], env).stdout) as {
      hosts: object[];
    };
    expect(told).toMatchObject([{ name: "office", agents: [{ state: "unavailable" }] }]);
    const file = join(clone, "fleet.svg");
    expect(fleet(["graph", "-o", file], env).stdout).toBe(`${file}\n`);
    expect(readFileSync(file, "utf8")).toMatch(/^<svg [^]*<\/svg>\n$/);
  });

  test("graph of hosts without agents alone is refused, and none is asked", () => {
    host(UNWELL);
    const spare = { ...hosts, spare: hosts.office };
    const { code, stderr, calls } = fleet(["graph", "--host", "spare"], {
      FAKE_OUTPUT: JSON.stringify({ agents, hosts: spare }),
    });
    expect(stderr).toMatch(/^--host: got hosts of stack dev without agents, .* leave it out\n$/);
    expect(calls).toEqual([OUTPUT]);
    expect(code).toBe(1);
  });

  test("open writes a page, prints its path, and leaves it to the desktop's program where there is a display", async () => {
    host(UNWELL);
    const seen = join(clone, "seen");
    writeFileSync(join(bin, "xdg-open"), `#!/bin/sh\necho "$*" >${seen}\n`, { mode: 0o755 });
    const file = join(clone, ".fleet/pictures/dev.html");
    const unseen = fleet(["open"], env);
    expect(unseen).toMatchObject({
      ...{ code: 0, stdout: `${file}\n` },
      stderr: "there is no display here; open the file in a browser\n",
    });
    expect(readFileSync(file, "utf8")).toContain('<th scope="row">agent-office</th>');
    expect(existsSync(seen)).toBe(false);
    expect(fleet(["open"], { ...env, DISPLAY: ":0" })).toMatchObject({ code: 0, stderr: "" });
    await until("the page to be opened", 30, () => existsSync(seen));
    await until("its path", 30, () => readFileSync(seen, "utf8") === `${file}\n`);
    rmSync(join(bin, "xdg-open"));
    const lost = fleet(["open"], {
      ...env,
      DISPLAY: ":0",
      PATH: bin,
    });
    expect(lost.stderr).toMatch(/^xdg-open cannot be run: .*ENOENT; open the file in a browser\n$/);
    expect(lost.code).toBe(0);
  });

  test("status --watch asks again and again, as JSON a line each time, and Ctrl-C leaves nothing behind", async () => {
    host(JSON.stringify({ agent: "agent-office", state: "available" }));
    const temporary = mkdtempSync(join(clone, "tmp-"));
    const child = spawn(process.execPath, [...PROGRAM, "status", "--watch", "--json"], {
      ...{ cwd: clone, stdio: ["ignore", "pipe", "ignore"] },
      env: { ...environment(env), TMPDIR: temporary },
    });
    const ended = new Promise((resolve) =>
      child.once("exit", (_, signal) => {
        resolve(signal);
      }),
    );
    let told = "";
    child.stdout.on("data", (data: Buffer) => (told += data.toString()));
    const questions = () => readFileSync(log, "utf8").match(/^ssh: /gm)?.length ?? 0;
    try {
      await until("a second question", 60, () => existsSync(log) && questions() > 1);
    } finally {
      child.kill("SIGINT");
    }
    expect(await ended).toBe("SIGINT");
    expect(readdirSync(temporary)).toEqual([]);
    const answers = told.split("\n").slice(0, -1);
    expect(answers.length).toBeGreaterThan(0);
    for (const line of answers) {
      expect(JSON.parse(line)).toMatchObject([{ agent: "agent-office", state: "available" }]);
    }
  }, 90_000);
});

test.each([
  [["restart"], "restart: got no agent, expected names of agents, --host or --all"],
  [["stop", "--all", "agent-office"], "stop: got --all and a choice beside it, expected names"],
  [["start", "--all", "--parallel", "many"], '--parallel: got "many"'],
])("%j is refused before anything is started", (args, text) => {
  stackFile();
  const { code, stderr, calls } = fleet(args);
  expect(stderr).toContain(text);
  expect(calls).toEqual([]);
  expect(code).toBe(1);
});

test.each([
  ["nowhere/fleet.svg", "there is no folder"],
  [".", "is a folder"],
])("graph and open refuse to write to %s before anything is started", (output, text) => {
  stackFile();
  for (const command of ["graph", "open"]) {
    const { code, stderr, calls } = fleet([command, "--output", output]);
    expect(stderr).toMatch(`--output: got "${output}", expected a file in a folder that`);
    expect(stderr).toContain(text);
    expect(calls).toEqual([]);
    expect(code).toBe(1);
  }
});

test("graph of a stack that has nothing says so", () => {
  stackFile();
  fleet(["stack", "init", "dev"]);
  const { code, stdout, stderr } = fleet(["graph"]);
  expect(stderr).toBe("stack dev has no agents here; bring it up with: ./fleet up -s dev\n");
  expect(stdout).toBe("");
  expect(code).toBe(1);
});

test("completion knows the commands and the names in the stack file, and starts nothing", () => {
  stackFile();
  const { stdout, calls } = fleet(["completion", "words", "--", "restart", "a"]);
  expect(stdout).toBe("agent-office\n");
  expect(fleet(["completion", "words", "--", ""]).stdout).toMatch(/^up\n[^]*^status\n/m);
  expect(calls).toEqual([]);
});

test("any other command goes to Pulumi with the stack, and stdout is Pulumi's alone", () => {
  stackFile();
  const { code, stdout, calls } = fleet(["stack", "output", "--json"], { FAKE_OUTPUT: '{"a":1}' });
  expect(stdout).toBe('{"a":1}\n');
  expect(calls).toEqual(["stack output --json --stack dev"]);
  expect(code).toBe(0);
});

test("destroy of a stack that is not there does nothing", () => {
  stackFile();
  const { code, stderr, calls } = fleet(["destroy", "--yes"]);
  expect(stderr).toBe("stack dev: not there; nothing to destroy\n");
  expect(calls).toEqual([]);
  expect(code).toBe(0);
});

test("init writes a file for the stack once, and stores a key pair for a machine that exists", () => {
  const args = ["init", "lab", "--provider", "ssh", "--address", "203.0.113.7"];
  const { code, stderr, calls } = fleet([...args, "--host-key", HOST_KEY]);
  const file = join(clone, "Pulumi.lab.yaml");
  const text = readFileSync(file, "utf8");
  expect(text).toContain("address: 203.0.113.7");
  expect(stderr).toMatch(
    /authorized_keys on the hosts:\n {2}ssh-ed25519 AAAA\S+ agent-fleet-lab\n/,
  );
  expect(
    calls.filter((call) => call.startsWith("config set")).map((call) => call.split(" ")[4]),
  ).toEqual([
    "agent-fleet:secrets.WORKER_CLUSTER_TOKEN",
    "agent-fleet:secrets.CALLBACK_SIGNING_SECRET",
    "agent-fleet:sshPrivateKey",
  ]);
  expect(code).toBe(0);
  expect(fleet(["init", "lab"]).stderr).toContain("Pulumi.lab.yaml is there and stays as it is");
  expect(readFileSync(file, "utf8")).toBe(text);
});

describe("destroy", () => {
  const PREFIX = "urn:pulumi:dev::agent-fleet::";
  const HOST = `${PREFIX}agent-fleet:host:SshHost::office`;
  const STEP = `${PREFIX}agent-fleet:host:SshHost$command:remote:Command::one@office-activation`;
  const RUN =
    "destroy --stack dev --yes --skip-preview --continue-on-error --parallel 8 --message destroy BY --event-log LOG " +
    "--suppress-outputs --suppress-permalink=true --suppress-progress --color never";
  const FORGET = `state delete ${HOST} --target-dependents --yes --stack dev --non-interactive`;

  /** A stack with one existing machine, and a destroy that will fail with these words. */
  function standing(message: string, protect = false) {
    stackFile();
    fleet(["stack", "init", "dev"]);
    rmSync(log);
    const command = {
      delete: "timeout 480 sh /opt/x/bin/uninstall agent one office # on machine a",
    };
    const resources = [
      { urn: `${PREFIX}pulumi:pulumi:Stack::agent-fleet-dev`, type: "pulumi:pulumi:Stack" },
      { urn: HOST, type: "agent-fleet:host:SshHost" },
      { urn: STEP, type: "command:remote:Command", parent: HOST, inputs: command, protect },
    ];
    writeFileSync(
      join(clone, "state/.pulumi/stacks/agent-fleet/dev.json"),
      JSON.stringify({ checkpoint: { latest: { resources } } }),
    );
    const failures = join(clone, "failures");
    const event = { diagnosticEvent: { urn: STEP, message, severity: "error" } };
    writeFileSync(failures, `${JSON.stringify(event)}\n`);
    return { FAKE_FAILURES: failures };
  }
  const REFUSED = "dial tcp 203.0.113.7:22: connect: connection refused";

  test("that cannot reach a host says what to do by hand and how to give it up, and fails", () => {
    const { code, stderr, calls } = fleet(["destroy", "--yes"], standing(REFUSED));
    expect(calls).toEqual([RUN]);
    expect(stderr).toContain("office is not cleaned: it refuses the connection\n");
    expect(stderr).toContain("    timeout 480 sh /opt/x/bin/uninstall agent one office\n");
    expect(stderr).toContain("  ./fleet destroy --forget office\n");
    expect(code).toBe(255);
  });

  test("with --forget lets go of what cannot be cleaned, ends the rest, and succeeds", () => {
    const args = ["destroy", "--yes", "--forget", "office"];
    const { code, stderr, calls } = fleet(args, standing(REFUSED));
    expect(calls).toEqual([RUN, FORGET, RUN]);
    expect(stderr).toContain("    timeout 480 sh /opt/x/bin/uninstall agent one office\n");
    expect(stderr).toContain("stack dev: destroyed, but for what is left on office;");
    expect(code).toBe(0);
  });

  const TUNNEL = `${PREFIX}agent-fleet:host:SshHost$agent-fleet:network:Tunnel$cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared::office-tunnel-registration`;
  const CONNECTED = "Cannot delete tunnel because it has active connections (1022)";

  /** The same with tunnels: one that goes with its VM, and one that Cloudflare sees connected once more. */
  function tunnels() {
    const env = standing("x");
    const file = join(clone, "state/.pulumi/stacks/agent-fleet/dev.json");
    const state = JSON.parse(readFileSync(file, "utf8")) as {
      checkpoint: { latest: { resources: object[] } };
    };
    const step = (host: string) =>
      `${PREFIX}agent-fleet:host:Host$command:remote:Command::${host}-tunnel-cloudflared`;
    state.checkpoint.latest.resources.push(
      { urn: TUNNEL, type: "cloudflare:index", parent: HOST },
      { urn: step("office"), type: "command:remote:Command", parent: HOST, deletedWith: "" },
      { urn: step("vm-1"), type: "command:remote:Command", deletedWith: "urn:…::vm-1-server" },
    );
    writeFileSync(file, JSON.stringify(state));
    const of = (urn: string, message: string) =>
      `${JSON.stringify({ diagnosticEvent: { urn, message, severity: "error" } })}\n`;
    const stack = of(`${PREFIX}pulumi:pulumi:Stack::agent-fleet-dev`, "update failed");
    writeFileSync(env.FAKE_FAILURES, of(TUNNEL, CONNECTED) + stack);
    const hosts = {
      "vm-1": { address: "192.0.2.1", port: 22, user: "fleet", hostKey: HOST_KEY },
      office: { address: "192.0.2.2", port: 22, user: "root", hostKey: HOST_KEY },
    };
    return { ...env, FAKE_OUTPUT: JSON.stringify({ agents: {}, hosts }) };
  }

  test("ends the tunnel of a VM before the VM goes, and tries again while Cloudflare sees one connected", () => {
    const ssh = join(bin, "ssh");
    writeFileSync(ssh, '#!/bin/sh\nfor word; do :; done\necho "ssh: $word" >>"$FAKE_LOG"\n', {
      mode: 0o755,
    });
    const { code, stderr, calls } = fleet(["destroy", "--yes"], tunnels());
    rmSync(ssh);
    expect(calls).toEqual([
      "stack output --json --show-secrets --stack dev --non-interactive",
      "ssh: sudo -n systemctl stop agent-fleet-tunnel",
      RUN,
      RUN,
    ]);
    expect(stderr).toContain("Cloudflare still sees a tunnel connected; waiting");
    expect(stderr).not.toContain("not cleaned");
    expect(code).toBe(0);
  });

  test("with --forget of a host that could be cleaned forgets nothing", () => {
    standing(REFUSED);
    const { code, stderr, calls } = fleet(["destroy", "--yes", "--forget", "office"]);
    expect(calls).toEqual([RUN]);
    expect(stderr).toContain("stack dev: destroyed; its settings stay");
    expect(code).toBe(0);
  });

  test("that fails on a host that answers does not advise to forget it", () => {
    const env = standing("Process exited with status 1: rm: read-only file system");
    const { code, stderr } = fleet(["destroy", "--yes"], env);
    expect(stderr).toContain("office is not cleaned: its uninstall failed, see above");
    expect(stderr).not.toContain("--forget");
    expect(code).toBe(255);
  });

  test("with --forget of what is no existing machine is refused before anything is destroyed", () => {
    const { code, stderr, calls } = fleet(["destroy", "--yes", "--forget", "vm-1"], standing("x"));
    expect(stderr).toContain(
      "--forget vm-1: only a machine that existed before the stack can be forgotten; expected office",
    );
    expect(calls).toEqual([]);
    expect(code).toBe(1);
  });

  test("of a stack with something protected is refused before anything is destroyed, with the key to change", () => {
    const { code, stderr, calls } = fleet(["destroy", "--yes"], standing("x", true));
    expect(stderr).toContain("take `protect: true` away from hosts.office in Pulumi.dev.yaml");
    expect(calls).toEqual([]);
    expect(code).toBe(1);
  });
});

test("--parallel goes to Pulumi, and anything but a number is refused before it starts", () => {
  stackFile();
  fleet(["stack", "init", "dev"]);
  rmSync(log);
  expect(fleet(["up", "--yes", "--parallel", "2"]).calls).toEqual([UP.replace("8", "2")]);
  rmSync(log);
  const { code, stderr, calls } = fleet(["up", "--yes", "--parallel", "many"]);
  expect(stderr).toBe('--parallel: got "many", expected a number from 1 to 9999\n');
  expect(calls).toEqual([]);
  expect(code).toBe(1);
});
