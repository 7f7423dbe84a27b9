/**
 * A Cloudflare Tunnel on a real VM, through the real engine. cloudflared, Cloudflare itself and the plugin that talks
 * to it are stand-ins (tests/e2e/stand-ins): the real ones are in no registry. One story, each test goes on from the
 * one before it.
 */
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { cacheFolder } from "../../vm/cache";
import { PLUGINS } from "../../toolchain/versions";
import { Clone } from "./support/clone";
import { scan } from "./support/open-ports";
import { Outside, testFromOutside } from "./support/outside";
import { statusOf } from "./support/status";
import { until } from "./support/wait";
import { StandInCloudflare } from "./stand-ins/cloudflare";

const TOKEN = `canary-token-${randomBytes(8).toString("hex")}`;
const ID = "0123456789abcdef".repeat(2);
const ONE = "agent-vm-1.agents.example.com";
const STAND_INS = "tests/e2e/stand-ins";

const clone = new Clone();
const program = clone.path("cloudflared");
const cloudflare = new StandInCloudflare(() => readFileSync(program));
const outside = new Outside(clone.path("outside"));
const before = { ...process.env };
let cached: string;

beforeAll(async () => {
  execFileSync("go", ["build", "-trimpath", "-o", program, `${STAND_INS}/cloudflared.go`], {
    cwd: clone.folder,
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GO111MODULE: "off" },
  });
  await cloudflare.start();
  const sum = createHash("sha256").update(readFileSync(program)).digest("hex");
  const version = "stand-in";
  clone.write(
    "assets/cloudflared.yaml",
    `version: ${version}\nsha256: { amd64: ${sum}, arm64: ${sum} }\n`,
  );
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  cached = join(cacheFolder("cloudflared"), `${version}-${arch}-${sum.slice(0, 16)}`);
  // An engine's home of its own: a stand-in must not be found by other runs of this machine.
  const home = clone.path("pulumi-home");
  const plugin = join(home, "plugins", `resource-cloudflare-v${PLUGINS.cloudflare}`);
  mkdirSync(plugin, { recursive: true });
  writeFileSync(
    join(plugin, "pulumi-resource-cloudflare"),
    `#!/bin/sh\nSTAND_IN_CLOUDFLARE=${cloudflare.url} exec node --require ${clone.folder}/toolchain/transpile.cjs ${clone.folder}/${STAND_INS}/cloudflare-plugin.ts "$@"\n`,
    { mode: 0o755 },
  );
  process.env["PULUMI_HOME"] = home;
  process.env["PATH"] = outside.path();
  process.env["CLOUDFLARE_API_TOKEN"] = "stand-in";
  process.env["AGENT_FLEET_CLOUDFLARED_MIRROR"] = cloudflare.url;
  const stack = clone
    .file("Pulumi.dev.yaml")
    .replace("provider: local", "provider: local\n      size: 2cpu-1gb-10gb")
    .replace(
      "config:\n",
      `config:\n  agent-fleet:cloudflare: { accountId: "${ID}", zoneId: "${ID}", domain: agents.example.com, access: true }\n`,
    );
  clone.write("Pulumi.dev.yaml", stack);
});

afterAll(async () => {
  try {
    await clone.fleet(["destroy", "--yes"]);
  } finally {
    outside.remove();
    cloudflare.end();
    process.env = before;
    rmSync(cached, { force: true });
    clone.remove();
  }
});

const vm = (command: string) => clone.on("vm-1", command);
/** A request to a hostname by somebody who has the stack's service token. */
const get = async (hostname: string, path: string, authorization = "") =>
  cloudflare.get(hostname, path, authorization, serviceToken());
const serviceToken = () =>
  [...cloudflare.access.values()].find(({ secret }) => secret !== "")?.secret ?? "none";
const tunnel = () => [...cloudflare.tunnels.values()][0];
const starts = async () =>
  Number(await vm("journalctl -q -o cat -u agent-fleet-tunnel | grep -c '^Started '"));

test("up leads each agent's hostname through the tunnel to the agent, and any other to 404", async () => {
  await clone.ok(["stack", "init", "dev"]);
  await clone.setSecret("agent-fleet:secrets.WORKER_CLUSTER_TOKEN", TOKEN);
  const { stdout } = await clone.ok(["up"]);
  expect(stdout).toMatch(/agent-vm-1 +vm-1 +available +https:\/\/agent-vm-1\.agents\.example\.com/);
  for (const agent of ["agent-vm-1", "agent-vm-2"]) {
    const hostname = `${agent}.agents.example.com`;
    const { status, body } = await get(hostname, "/health", `Bearer ${TOKEN}`);
    expect([status, JSON.parse(body)]).toMatchObject([
      200,
      { status: "available", workerId: agent },
    ]);
    expect((await get(hostname, "/health")).status).toBe(401);
  }
  const [id = ""] = cloudflare.tunnels.keys();
  cloudflare.records.set("extra", { name: "x.example.com", content: `${id}.cfargotunnel.com` });
  expect((await get("x.example.com", "/health")).status).toBe(404);
  cloudflare.records.delete("extra");
});

test("who does not send the stack's service token is stopped by Access, whatever else is sent", async () => {
  expect((await cloudflare.get(ONE, "/health", `Bearer ${TOKEN}`)).status).toBe(403);
  expect((await cloudflare.get(ONE, "/health", "", "another")).status).toBe(403);
  const { stdout } = await clone.ok(["stack", "output", "--json", "--show-secrets"]);
  const { access } = JSON.parse(stdout) as { access?: { clientSecret: string } };
  expect(access?.clientSecret).toBe(serviceToken());
  expect((await clone.ok(["stack", "output", "--json"])).stdout).not.toContain(serviceToken());
});

test("the agents' ports answer on loopback alone, not even to this machine's forwards", async () => {
  const { forwards } = JSON.parse(clone.file(".fleet/vms/dev-vm-1/vm.json")) as {
    forwards?: Record<string, number>;
  };
  const ports = Object.values(forwards ?? {});
  expect(ports.length).toBe(2);
  expect(await Promise.all(ports.map(answers))).toEqual([false, false]);
});

/** Of every port, by IPv4 and IPv6: 22 and nothing else; the agents' own drop what comes. */
async function expectSshAlone(): Promise<void> {
  for (const over of [4, 6] as const) {
    const tcp = await outside.scan("stranger", "tcp", { over });
    expect(tcp).toEqual(scan({ open: [22], filtered: [8787, 8788] }, "closed"));
    // Silent is what drops or what listens: nothing of ours listens there, and nothing else is silent.
    const udp = await outside.scan("stranger", "udp", { over });
    expect(udp).toEqual(scan({ "open|filtered": [8787, 8788] }, "closed"));
  }
}

testFromOutside("a scan of every port from outside shows 22 and nothing else", async () => {
  await outside.join((script) => clone.fleet(["ssh", "vm-1", "--", "sh -s"], script));
  await expectSshAlone();
});

test("cloudflared runs as its own user by a 600 token, below an exposure of 1.2", async () => {
  expect(await vm("stat -c '%a %U' /etc/agent-fleet-tunnel/token")).toBe("600 agent-fleet-tunnel");
  const pid = "$(systemctl show -P MainPID agent-fleet-tunnel)";
  expect(await vm(`stat -c %U /proc/${pid}`)).toBe("agent-fleet-tunnel");
  const text = await vm("systemd-analyze security --no-pager agent-fleet-tunnel | tail -n 1");
  expect(Number(/exposure level .*: ([0-9.]+)/.exec(text)?.[1])).toBeLessThanOrEqual(1.2);
  const secret = tunnel()?.secret ?? "none";
  expect(await vm("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).not.toContain(secret);
});

test("a second up changes nothing", async () => {
  const { output } = await clone.ok(["up"]);
  expect(output).toContain("nothing had to be changed");
  expect(await starts()).toBe(1);
});

test("a lost tunnel is named by status and doctor, shown by diff and repaired by up --verify", async () => {
  // The stand-in's hostnames are in no DNS: the outermost layer is the one that fails while all is well.
  const failed = async () => (await statusOf(clone)).map(({ failed: layer }) => layer);
  expect(await failed()).toContainEqual(
    expect.stringMatching(/^hostname: .* cannot be reached from here/),
  );
  await vm("systemctl stop agent-fleet-tunnel");
  expect(await failed()).toContainEqual(expect.stringMatching(/^tunnel: not connected: no answer/));
  expect((await clone.fleet(["doctor"])).stdout).toMatch(
    /^vm-1: cloudflared down: found not connected: no answer/m,
  );
  expect((await clone.fleet(["diff"])).stdout).toMatch(/agent-vm-1 +vm-1 +tunnel +connected/);
  await clone.ok(["up", "--verify"]);
  expect((await get(ONE, "/health")).status).toBe(401);
});

test("a rotated token is one file and one restart of cloudflared, and no agent is touched", async () => {
  const [made] = cloudflare.tunnels.values();
  const agents = () => vm("systemctl show -P MainPID tseeder-agent@agent-vm-1");
  const [count, pid] = [await starts(), await agents()];
  if (made !== undefined) made.secret = "canary-rotated";
  const { output } = await clone.ok(["up"]);
  expect(output).toMatch(/ vm-1-tunnel-cloudflared updated/);
  expect(output).toContain("~ 1 updated");
  expect(await starts()).toBe(count + 1);
  expect(await agents()).toBe(pid);
  expect((await get(ONE, "/health")).status).toBe(401);
});

test("a token that Cloudflare refuses makes up fail with cloudflared's words and without the token", async () => {
  const made = tunnel();
  if (made !== undefined) made.secret = "canary-next";
  // Between the question for the token and cloudflared's start it is rotated once more.
  cloudflare.onToken = () => {
    if (made !== undefined) made.secret = "canary-after-next";
  };
  const { code, output } = await clone.fleet(["up"]);
  cloudflare.onToken = () => undefined;
  expect(code).not.toBe(0);
  expect(output).toMatch(/tunnel: cloudflared keeps ending \(3 restarts\)/);
  expect(output).toContain("Unauthorized: Invalid tunnel secret");
  expect(output).toContain("INF token (token)");
  await clone.ok(["up"]);
  expect((await get(ONE, "/health")).status).toBe(401);
});

test("no secret was printed", async () => {
  const token = await vm("cat /etc/agent-fleet-tunnel/token");
  for (const secret of [TOKEN, "canary-rotated", token, tunnel()?.secret ?? ""]) {
    expect(secret.length).toBeGreaterThan(8);
    expect(clone.transcript).not.toContain(secret);
  }
});

test("the tunnel comes back by itself after a reboot", async () => {
  const count = cloudflare.events.filter((event) => event.endsWith(" connected")).length;
  await clone.fleet(["ssh", "vm-1", "--", "systemctl reboot"]);
  await until("connected again", 240, () => {
    return cloudflare.events.filter((event) => event.endsWith(" connected")).length > count;
  });
});

testFromOutside("a scan of every port shows the same after the reboot", async () => {
  await outside.reached();
  await expectSshAlone();
});

test("destroy ends the tunnel first, then Cloudflare's side goes, and nothing is left", async () => {
  cloudflare.events.length = 0;
  await clone.ok(["destroy", "--yes"]);
  expect(cloudflare.events[0]).toMatch(/ disconnected$/);
  expect(
    cloudflare.events.filter((event) => event === "delete ZeroTrustTunnelCloudflared"),
  ).toEqual(["delete ZeroTrustTunnelCloudflared"]);
  const { tunnels, records, access, connected } = cloudflare;
  expect([tunnels.size, records.size, access.size, connected]).toEqual([0, 0, 0, 0]);
  const deleted = cloudflare.events.filter((event) => /DnsRecord|Application/.test(event));
  expect(deleted.at(-1)).toBe("delete ZeroTrustAccessApplication");
});

/** Whether something answers there: QEMU itself takes every connection. */
async function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.once("data", () => {
      end(true);
    });
    socket.once("error", () => {
      end(false);
    });
    socket.once("connect", () => socket.write("GET /health HTTP/1.0\r\n\r\n"));
    socket.setTimeout(5000, () => {
      end(false);
    });
  });
}
