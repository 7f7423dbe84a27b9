/** The stand-in for the limahost agent, by the config file that its profile makes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placedFiles } from "../../components/agent/placed-files";
import { loadProfile } from "../../stacks/assets";

const ROOT = join(__dirname, "../..");
const ENTRY = join(ROOT, "examples/limahost-stand-in/src/index.js");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limahost-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Starts it with the config file for these variables. */
function start(values: Readonly<Record<string, string>>) {
  const [config] = placedFiles(loadProfile(ROOT, "limahost"), "lima-1", values);
  const file = join(folder, "agent.json");
  writeFileSync(file, config?.content ?? "");
  return spawn(process.execPath, [ENTRY], { env: { LIMA_AGENT_CONFIG: file }, stdio: "pipe" });
}

test("it reports to the control plane with its key, again and again, and writes its log file", async () => {
  const beats: unknown[] = [];
  const controlPlane = createServer((request, response) => {
    request.setEncoding("utf8").on("data", (body: string) => {
      beats.push([request.method, request.url, request.headers.authorization, JSON.parse(body)]);
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(controlPlane, "listening");
  const { port } = controlPlane.address() as AddressInfo;
  const log = join(folder, "logs/agent.log");
  const agent = start({
    LIMA_CONTROL_PLANE_URL: `http://127.0.0.1:${String(port)}`,
    LIMA_CONTROL_PLANE_API_KEY: "canary",
    LIMA_AGENT_NAME: "lima-1",
    LIMA_HEARTBEAT_INTERVAL: "20",
    LIMA_LOG_FILE: log,
  });
  try {
    while (beats.length < 2) await once(agent.stdout, "data");
    expect(beats[1]).toEqual(["POST", "/heartbeat", "Bearer canary", { agentName: "lima-1" }]);
    agent.kill("SIGTERM");
    expect(await once(agent, "exit")).toEqual([0, null]);
    expect(readFileSync(log, "utf8")).toMatch(/^\S+Z lima-1 reports to .*\n\S+Z heartbeat: 200\n/);
    expect(readFileSync(log, "utf8")).not.toContain("canary");
  } finally {
    agent.kill("SIGKILL");
    controlPlane.close();
  }
});

test("without what is required it ends and says what is missing", async () => {
  const agent = start({ LIMA_CONTROL_PLANE_URL: "https://control.example.com" });
  const [line] = (await once(agent.stderr, "data")) as [Buffer];
  expect(line.toString()).toContain("controlPlaneApiKey missing; add what is missing");
  expect(await once(agent, "exit")).toEqual([1, null]);
});
