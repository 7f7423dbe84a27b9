/** The lines of examples/compute-agent/README.md, followed as they stand there. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shellBlocks } from "../e2e/support/guide";
import { freePort } from "../toolchain/support/sshd";

const EXAMPLE = join(__dirname, "../../examples/compute-agent");
const ROOT = join(__dirname, "../..");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "compute-agent-readme-"));
  cpSync(EXAMPLE, folder, { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("its lines, the second in its form for Node, start an agent that asks for its token", async () => {
  const readme = readFileSync(join(EXAMPLE, "README.md"), "utf8");
  const [block = ""] = shellBlocks(readme, "# compute-agent");
  const [copy = "", start = "", ...more] = block.trim().split("\n");
  expect(more).toEqual([]);
  execFileSync("sh", ["-e", "-c", copy], { cwd: folder });
  const port = await freePort();
  const token = "a-token-of-the-test";
  const env = readFileSync(join(folder, ".env"), "utf8")
    .replace(/^PORT=.*/m, `PORT=${String(port)}`)
    .replace(/^(WORKER_CLUSTER_TOKEN|CALLBACK_SIGNING_SECRET)=$/gm, `$1=${token}`);
  writeFileSync(join(folder, ".env"), env);

  const [, withNode = ""] = start.split("# or: ");
  const agent = spawn("sh", ["-c", `exec ${withNode}`], {
    cwd: folder,
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(agent, "exit");
  try {
    await Promise.race([once(agent.stdout, "data"), ended]);
    const health = async (headers: Record<string, string>) =>
      (await fetch(`http://127.0.0.1:${String(port)}/health`, { headers })).status;
    expect(await health({})).toBe(401);
    expect(await health({ authorization: `Bearer ${token}` })).toBe(200);
  } finally {
    agent.kill();
    await ended;
  }
});
