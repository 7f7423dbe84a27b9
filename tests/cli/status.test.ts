import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseReports, statusCommand } from "../../cli/agent-status";
import type { AgentStatus } from "../../cli/agent-status";
import { render } from "../../cli/commands/status";
import type { Outputs } from "../../cli/outputs";
import { curl, summary, tellRestart } from "../../cli/summary";

test("lines that are no report are passed over", () => {
  const reports = parseReports(
    'Welcome!\n{"agent":"a","state":"available","restarts":2}\nnull\n{"x":1}\n{"agent":"b"',
  );
  expect([...reports.keys()]).toEqual(["a"]);
});

const STATUS: AgentStatus = {
  agent: "a",
  host: "vm-1",
  state: "available",
  jobs: 2,
  release: "a1b2c3d4e5f6a7b8",
  url: "http://127.0.0.1:8787",
  since: "2026-01-02T03:04:05Z",
  restarts: 0,
  memory: 180_000_000,
  diskFree: 81,
  tunnel: null,
};

test("status is a table; a host that does not answer is named once, with the reason", () => {
  const gone: AgentStatus = {
    ...{ ...STATUS, host: "vm-2", state: "unreachable", jobs: null, release: "", since: "" },
    ...{ restarts: null, memory: null, diskFree: null, reason: "no answer within 10 s" },
  };
  expect(render([STATUS, { ...gone, agent: "b" }, { ...gone, agent: "c" }], "dev")).toBe(
    [
      "AGENT  HOST  STATE        JOBS  RELEASE       SINCE                 RESTARTS  MEMORY   DISK      TUNNEL",
      "a      vm-1  available    2     a1b2c3d4e5f6  2026-01-02T03:04:05Z  0         172 MiB  81% free",
      "b      vm-2  unreachable",
      "c      vm-2  unreachable",
      "vm-2: no answer within 10 s",
    ].join("\n"),
  );
});

test("a tunnel is connected or down; what is wrong with it stands below the table", () => {
  const failed = "tunnel: not connected: no answer";
  const down = { ...STATUS, agent: "b", tunnel: "not connected: no answer", failed };
  const [, first, second, last] = render([{ ...STATUS, tunnel: "connected" }, down], "dev").split(
    "\n",
  );
  expect(first).toMatch(/ {2}connected$/);
  expect(second).toMatch(/ {2}down$/);
  expect(last).toBe("b: tunnel: not connected: no answer");
});

const TOKEN_CHECK = { path: "/health", secret: "secrets.WORKER_CLUSTER_TOKEN" };

test("up ends with the agents, a line to reach one, and what to do next", () => {
  const agent = {
    host: "vm-1",
    unit: "tseeder-agent@a",
    port: 8787,
    release: "a1b2c3",
    url: "http://127.0.0.1:18787",
    healthCheck: TOKEN_CHECK,
    health: "available",
  };
  const text = summary({ agents: { a: agent }, hosts: {} }, "prod");
  expect(text).toBe(
    [
      "AGENT  HOST  STATE      URL",
      "a      vm-1  available  http://127.0.0.1:18787",
      "",
      "reach an agent:",
      `  ${curl(agent, "prod")}`,
      "",
      "next:",
      "  ./fleet status -s prod",
      "  ./fleet ssh -s prod vm-1",
      "  ./fleet destroy -s prod",
    ].join("\n"),
  );
});

test("up ends without a line to reach an agent that wants headers", () => {
  const agent = {
    ...{ host: "vm-1", unit: "x@a", port: 8787, release: "a1b2c3", health: "available" },
    ...{ url: "http://127.0.0.1:18787", healthCheck: { path: "/health", headers: ["X-Key"] } },
  };
  expect(summary({ agents: { a: agent }, hosts: {} }, "prod")).not.toContain("reach an agent");
});

test.each([
  [TOKEN_CHECK, /^\.\/fleet config get --path '(\S+)' \| sed .* \| curl -sS -H @- \S+$/],
  [
    { ...TOKEN_CHECK, user: "me" },
    /^\.\/fleet config get --path '(\S+)' \| sed .* \| curl -sS -K - \S+$/,
  ],
])(
  "the line that reaches an agent gives the secret on stdin, never as an argument: %j",
  (healthCheck, line) => {
    const [, key] = line.exec(curl({ url: "http://127.0.0.1:1", healthCheck }, "dev")) ?? [];
    expect(key).toBe("agent-fleet:secrets.WORKER_CLUSTER_TOKEN");
  },
);

test.each([
  [TOKEN_CHECK, "x", "Bearer x"],
  [{ ...TOKEN_CHECK, user: "me" }, 'a"b\\c', `Basic ${btoa('me:a"b\\c')}`],
  [{ path: "/health" }, "", undefined],
])(
  "pasted, the line asks as the profile says: %j with %j",
  async (healthCheck, secret, expected) => {
    const asked: unknown[] = [];
    const server = createServer(({ url, headers }, response) => {
      asked.push([url, headers.authorization]);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const line = curl({ url: `http://127.0.0.1:${String(port)}`, healthCheck }, "dev");
    const [, rest = ""] = /^\.\/fleet .*?'agent-fleet:\S+' (\|.*)$/.exec(line) ?? [];
    // What `./fleet config get` prints.
    const script = rest === "" ? line : `printf '%s\\n' "$SECRET" ${rest}`;
    const child = spawn("sh", ["-c", script], { env: { ...process.env, SECRET: secret } });
    await new Promise((resolve) => child.once("close", resolve));
    server.close();
    expect(asked).toEqual([["/health", expected]]);
  },
);

const RESTARTED = {
  restarted: true,
  gapSeconds: 2.14,
  drain: "none",
  drainedSeconds: 0,
  jobsLeft: null,
};

test("up tells of the agents that it restarted, and of no others, how long they did not answer", () => {
  const agent = (name: string) => ({
    ...{ host: "vm-1", unit: `tseeder-agent@${name}`, port: 1, release: "", url: "" },
    ...{ health: "available", activation: RESTARTED },
  });
  const outputs = { agents: { a: agent("a"), b: agent("b") }, hosts: {} };
  const [heading, a, b] = summary(
    outputs,
    "dev",
    new Map([["b@vm-1-activation", "update"]] as const),
  ).split("\n");
  expect(heading).toMatch(/URL {2}THIS TIME$/);
  expect(a).toMatch(/available$/);
  expect(b).toMatch(/available +restarted, 2\.1 s without an answer$/);
  expect(summary(outputs, "dev")).not.toContain("restarted");
  const made = new Map([["b@vm-1-activation", "create"]] as const);
  expect(summary(outputs, "dev", made)).toMatch(/available +ready after 2\.1 s\n/);
});

test.each([
  [{}, "restarted, 2.1 s without an answer"],
  [
    { drain: "idle", drainedSeconds: 12, jobsLeft: 0 },
    "restarted, 2.1 s without an answer, after 12.0 s of drain",
  ],
  [
    { drain: "cap", drainedSeconds: 300, jobsLeft: 2 },
    "restarted, 2.1 s without an answer, after 300.0 s of drain, 2 left (cap)",
  ],
  [{ restarted: false }, ""],
  [
    { restarted: false, drain: "idle", drainedSeconds: 3, jobsLeft: 0 },
    "stopped after 3.0 s of drain",
  ],
])("a restart is told with its drain and the jobs it cut off: %j", (change, text) => {
  expect(tellRestart({ url: "", activation: { ...RESTARTED, ...change } })).toBe(text);
});

test("of an agent without a URL it is told when it was ready again, and no way to reach it", () => {
  expect(tellRestart({ activation: RESTARTED })).toBe("restarted, ready after 2.1 s");
  const agent = { host: "vm-1", unit: "tseeder-agent@a", release: "", health: "available" };
  const text = summary({ agents: { a: agent }, hosts: {} }, "dev");
  expect(text).toMatch(/^a +vm-1 +available$/m);
  expect(text).not.toContain("curl");
});

test("what an older version has stored is told as nothing", () => {
  expect(tellRestart({})).toBe("");
});

test("a host on which the agents' script fails gives that as its end, where there is no tunnel too", () => {
  const outputs = {
    agents: { a: { host: "vm-1", unit: "no-such-service@a" } },
    hosts: { "vm-1": { user: "root" } },
  } as unknown as Outputs;
  const { status, stderr } = spawnSync("sh", ["-c", statusCommand(outputs, "vm-1")], {
    encoding: "utf8",
  });
  expect(status).toBe(127);
  expect(stderr).toContain("/opt/no-such-service/bin/status");
});
