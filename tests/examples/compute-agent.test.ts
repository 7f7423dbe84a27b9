import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";

const ENTRY = join(__dirname, "../../examples/compute-agent/src/index.ts");
const TOKEN = "canary-token-5c1f8e0a7b";
const SIGNING = "canary-signing-92d4c6e1f3";

interface Agent {
  readonly process: ChildProcess;
  readonly port: number;
  readonly folder: string;
  output(): string;
  readonly exit: Promise<number | null>;
}

const started: Agent[] = [];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function launch(env: Record<string, string> = {}): Promise<Agent> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "compute-agent-"));
  const child = spawn(process.execPath, ["--import", "tsx", ENTRY], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: String(port),
      WORKER_ID: "agent-test-1",
      WORKER_CLUSTER_TOKEN: TOKEN,
      CALLBACK_SIGNING_SECRET: SIGNING,
      DOWNLOAD_DIR: join(folder, "downloads"),
      MAX_CONCURRENT_JOBS: "2",
      ...env,
    },
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const agent = { process: child, port, folder, output: () => output, exit };
  started.push(agent);
  const ended = exit.then(() => true);
  while (!output.includes("listening")) {
    const pause = new Promise<false>((resolve) => setTimeout(resolve, 20, false));
    if (await Promise.race([ended, pause])) break;
  }
  return agent;
}

async function call(
  agent: Agent,
  request: string,
  options: { body?: unknown; token?: string | null; host?: string } = {},
): Promise<{ code: number; body: Record<string, unknown> }> {
  const [method = "", path = ""] = request.split(" ");
  const token = options.token === undefined ? TOKEN : options.token;
  const response = await fetch(
    `http://${options.host ?? "127.0.0.1"}:${String(agent.port)}${path}`,
    {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(options.body === undefined
        ? {}
        : {
            body: typeof options.body === "string" ? options.body : JSON.stringify(options.body),
          }),
    },
  );
  return { code: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function untilState(
  agent: Agent,
  id: unknown,
  state: string,
): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await call(agent, `GET /jobs/${String(id)}`);
    if (body["state"] === state) return body;
    if (body["state"] !== "running") throw new Error(`job is ${String(body["state"])}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

afterEach(async () => {
  for (const agent of started.splice(0)) {
    agent.process.kill("SIGKILL");
    await agent.exit;
    rmSync(agent.folder, { recursive: true, force: true });
  }
});

describe("health", () => {
  test("answers 401 without a token, 403 with a wrong one, 200 with the right one", async () => {
    const agent = await launch();
    expect((await call(agent, "GET /health", { token: null })).code).toBe(401);
    expect((await call(agent, "GET /health", { token: "canary" })).code).toBe(403);
    expect((await call(agent, "GET /health", { token: `${TOKEN}x` })).code).toBe(403);
    expect(await call(agent, "GET /health")).toEqual({
      code: 200,
      body: {
        status: "available",
        workerId: "agent-test-1",
        activeJobs: 0,
        maxJobs: 2,
        version: "0.1.0",
      },
    });
  });

  test("answers on every interface of the machine", async () => {
    const agent = await launch();
    const outer = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === "IPv4" && !address.internal);
    // 127.0.0.2 is another loopback address: a server bound to 127.0.0.1 alone refuses it.
    const hosts = ["127.0.0.2", ...(outer === undefined ? [] : [outer.address])];
    for (const host of hosts) expect((await call(agent, "GET /health", { host })).code).toBe(200);
  });

  test("stays responsive while jobs compute", async () => {
    const agent = await launch();
    for (const body of [
      { kind: "primes", below: 100_000_000 },
      { kind: "sha256", text: "a", rounds: 100_000_000 },
    ]) {
      expect((await call(agent, "POST /jobs", { body })).code).toBe(202);
    }
    const before = performance.now();
    expect((await call(agent, "GET /health")).body["activeJobs"]).toBe(2);
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe("jobs", () => {
  test("need the token like everything else", async () => {
    const agent = await launch();
    for (const request of ["POST /jobs", "GET /jobs", "GET /jobs/x", "DELETE /jobs/x", "GET /"]) {
      expect((await call(agent, request, { token: null })).code).toBe(401);
      expect((await call(agent, request, { token: "wrong" })).code).toBe(403);
    }
  });

  test("primes and sha256 give the right results, written to DOWNLOAD_DIR and signed", async () => {
    const agent = await launch();
    const once = createHash("sha256").update("a").digest("hex");
    const twice = createHash("sha256").update(once).digest("hex");
    for (const [body, result] of [
      [
        { kind: "primes", below: 100 },
        { below: 100, primes: 25 },
      ],
      [
        { kind: "sha256", text: "a", rounds: 2 },
        { rounds: 2, hash: twice },
      ],
    ]) {
      const { code, body: job } = await call(agent, "POST /jobs", { body });
      expect(code).toBe(202);
      const done = await untilState(agent, job["id"], "done");
      const id = String(job["id"]);
      const signature = createHmac("sha256", SIGNING)
        .update(`${id}.${JSON.stringify(result)}`)
        .digest("hex");
      expect(done).toMatchObject({ id, result, signature });
      const file = join(agent.folder, "downloads", `${id}.json`);
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ id, result, signature });
    }
  });

  test("the one after MAX_CONCURRENT_JOBS gets 429 and health says full, until one ends", async () => {
    const agent = await launch();
    const body = { kind: "sleep", seconds: 60 };
    const first = await call(agent, "POST /jobs", { body });
    await call(agent, "POST /jobs", { body });
    expect((await call(agent, "POST /jobs", { body })).code).toBe(429);
    expect((await call(agent, "GET /health")).body).toMatchObject({
      status: "full",
      activeJobs: 2,
    });
    const stopped = await call(agent, `DELETE /jobs/${String(first.body["id"])}`);
    expect(stopped).toMatchObject({ code: 200, body: { state: "stopped" } });
    expect((await call(agent, "GET /health")).body).toMatchObject({ status: "available" });
  });

  test("are listed, and a finished one is forgotten with its file", async () => {
    const agent = await launch();
    const { body: job } = await call(agent, "POST /jobs", { body: { kind: "primes", below: 10 } });
    await untilState(agent, job["id"], "done");
    const jobs = (await call(agent, "GET /jobs")).body["jobs"];
    expect(jobs).toMatchObject([{ id: job["id"], state: "done" }]);
    expect((await call(agent, `DELETE /jobs/${String(job["id"])}`)).code).toBe(200);
    expect((await call(agent, `GET /jobs/${String(job["id"])}`)).code).toBe(404);
    expect(existsSync(join(agent.folder, "downloads", `${String(job["id"])}.json`))).toBe(false);
  });

  test.each([
    ["no JSON", "{", /JSON/],
    ["no object", [], /expected an object/],
    ["an unknown kind", { kind: "mine" }, /kind: expected one of primes, sha256, sleep/],
    ["a negative number", { kind: "primes", below: -1 }, /below: expected a whole number/],
    ["a missing text", { kind: "sha256", rounds: 1 }, /text: expected a string/],
  ])("%s is refused with 400 and the reason", async (_, body, reason) => {
    const agent = await launch();
    const answer = await call(agent, "POST /jobs", { body });
    expect(answer.code).toBe(400);
    expect(answer.body["error"]).toMatch(reason);
  });

  test("a body of more than 64 KiB is refused with 413", async () => {
    const agent = await launch();
    const body = { kind: "sha256", text: "a".repeat(70_000), rounds: 1 };
    expect((await call(agent, "POST /jobs", { body })).code).toBe(413);
    expect((await call(agent, "GET /health")).code).toBe(200);
  });
});

describe("the end", () => {
  test("SIGTERM refuses new jobs, lets running ones finish and exits 0", async () => {
    const agent = await launch();
    const { body: job } = await call(agent, "POST /jobs", { body: { kind: "sleep", seconds: 1 } });
    agent.process.kill("SIGTERM");
    while (!agent.output().includes("stopping")) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const body = { kind: "sleep", seconds: 1 };
    expect((await call(agent, "POST /jobs", { body })).code).toBe(503);
    expect(await call(agent, "GET /health")).toMatchObject({
      code: 503,
      body: { status: "stopping" },
    });
    expect(await agent.exit).toBe(0);
    expect(existsSync(join(agent.folder, "downloads", `${String(job["id"])}.json`))).toBe(true);
  });

  test("jobs that outlast JOB_GRACE_SECONDS are stopped, the exit is still 0", async () => {
    const agent = await launch({ JOB_GRACE_SECONDS: "1" });
    await call(agent, "POST /jobs", { body: { kind: "sleep", seconds: 60 } });
    const before = performance.now();
    agent.process.kill("SIGTERM");
    expect(await agent.exit).toBe(0);
    expect(performance.now() - before).toBeGreaterThan(900);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(agent.output()).toContain("stopped stoppedJobs=1");
  });
});

describe("the environment", () => {
  test("every fault is named at once, with what to do, and no secret's value", async () => {
    const agent = await launch({
      PORT: "http",
      WORKER_ID: "",
      WORKER_CLUSTER_TOKEN: `${TOKEN}\n`,
      CALLBACK_SIGNING_SECRET: "canary",
      MAX_CONCURRENT_JOBS: "0",
    });
    expect(await agent.exit).toBe(1);
    expect(agent.output()).toBe(
      [
        "compute-agent: configuration:",
        '  PORT: got "http", expected a whole number from 1 to 65535',
        "  WORKER_ID: missing; set it in the env file",
        "  WORKER_CLUSTER_TOKEN: white space around the value; remove it",
        "  CALLBACK_SIGNING_SECRET: shorter than 16 characters; make a longer one",
        '  MAX_CONCURRENT_JOBS: got "0", expected a whole number from 1 to 1000',
        "",
      ].join("\n"),
    );
  });

  test("a port that is taken is named and the exit is 1", async () => {
    const first = await launch();
    const second = await launch({ PORT: String(first.port) });
    expect(await second.exit).toBe(1);
    expect(second.output()).toContain("EADDRINUSE");
  });

  test("the log has one line per event and never a secret", async () => {
    const agent = await launch();
    await call(agent, "GET /health", { token: "canary-wrong" });
    const { body: job } = await call(agent, "POST /jobs", {
      body: { kind: "sha256", text: "canary-text", rounds: 1 },
    });
    await untilState(agent, job["id"], "done");
    agent.process.kill("SIGTERM");
    await agent.exit;
    const events = agent.output().trim().split("\n");
    expect(events.map((line) => line.split(/ \w+=/)[0])).toEqual([
      "listening",
      "request refused",
      "job started",
      "job done",
      "stopping",
      "stopped",
    ]);
    expect(agent.output()).not.toContain("canary");
  });
});
