/**
 * A release under the real engine: what is sent, and what plans look like. The scripts of the host are
 * stand-ins: `offer` answers what the test wants, `unpack` writes down what it was given.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Clone, type Result } from "../e2e/support/clone";
import { Sshd } from "../toolchain/support/sshd";

const HOST_KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5${"A".repeat(48)}`;
const ARCHIVE = "what the agent runs\n";
const WORD = "already on the host\n";
/** Not the archive's: whoever hashes it gets another one. */
const SHA256 = "0".repeat(64);
const UNPACK = 'cat "$4" >>${0%/bin/*}/unpacked; rm "$4"\n';

const clone = new Clone();
let sshd: Sshd;

beforeAll(async () => {
  sshd = await Sshd.start();
  mkdirSync(sshd.file("bin"));
  writeFileSync(sshd.file("bin/offer"), `cat ${sshd.file("answer")}\n`);
  writeFileSync(sshd.file("bin/unpack"), UNPACK);
  clone.write("release.tgz", ARCHIVE);
  // For ./fleet alone; the program below makes another host.
  clone.write(
    "Pulumi.dev.yaml",
    `config:
  agent-fleet:hosts:
    office: { provider: ssh, address: 127.0.0.1, hostKey: ${HOST_KEY}, agents: { one: {} } }
  agent-fleet:defaults: { source: examples/compute-agent }
  agent-fleet:secrets: { WORKER_CLUSTER_TOKEN: t, CALLBACK_SIGNING_SECRET: s }
`,
  );
});
afterAll(() => {
  clone.remove();
  sshd.end();
});

/** A stack with one release of this id. */
function release(id: string): void {
  const connection = { ...sshd.connection(), address: "127.0.0.1" };
  clone.write(
    "index.ts",
    `import { Release } from "./components/agent/release";
const host = { name: "vm-1", connection: ${JSON.stringify(connection)}, machine: "m",
  ready: [], ownedBy: undefined, url: () => "" };
new Release("vm-1-release", { host, service: "..${sshd.folder}", after: [],
  release: { id: "${id}", sha256: "${SHA256}", file: "${clone.folder}/release.tgz" } });
`,
  );
}

const answers = (word: string) => {
  writeFileSync(sshd.file("answer"), `${word}\n`);
};

const up = () => clone.fleet(["up", "--yes"]);
const preview = (...more: string[]) => clone.pulumi(["preview", "--stack", "dev", ...more]);

/** What came to be unpacked since the last call. */
function unpacked(): string {
  const text = readFileSync(sshd.file("unpacked"), "utf8");
  writeFileSync(sshd.file("unpacked"), "");
  return text;
}

function succeeded({ code, output }: Result): string {
  if (code !== 0) throw new Error(output);
  return output;
}

async function expectNothingToDo(): Promise<void> {
  const sessions = sshd.accepted();
  succeeded(await preview("--expect-no-changes"));
  expect(succeeded(await up())).toContain("nothing had to be changed");
  expect(sshd.accepted()).toBe(sessions);
}

test("a host gets its first release unasked, a later one where it lacks it, and a word where it has it; all settle", async () => {
  release("one");
  answers("here");
  const sessions = sshd.accepted();
  succeeded(await up());
  expect(unpacked()).toBe(ARCHIVE);
  expect(sshd.accepted() - sessions).toBe(2);
  await expectNothingToDo();

  release("two");
  answers("missing");
  succeeded(await up());
  expect(unpacked()).toBe(ARCHIVE);

  release("one");
  answers("here");
  const plan = succeeded(await preview());
  for (const role of ["offer", "upload", "unpack"]) {
    expect(plan).toMatch(new RegExp(`vm-1-release-${role} +update`));
  }
  succeeded(await up());
  expect(unpacked()).toBe(WORD);
  await expectNothingToDo();
});

test("the engine takes an archive's hash from its build, and does not read it once more for each host", async () => {
  release("four");
  answers("missing");
  succeeded(await up());
  expect(unpacked()).toBe(ARCHIVE);
  const { deployment } = JSON.parse(succeeded(await clone.fleet(["stack", "export"]))) as {
    deployment: { resources: { urn: string; inputs?: { source?: { hash: string } } }[] };
  };
  const uploaded = deployment.resources.find(({ urn }) => urn.endsWith("::vm-1-release-upload"));
  expect(uploaded?.inputs?.source?.hash).toBe(SHA256);
});

test("a release that has gone between offer and unpacking is sent by the next up", async () => {
  release("three");
  answers("here");
  writeFileSync(sshd.file("bin/unpack"), 'rm "$4"; exit 1\n');
  expect((await up()).code).not.toBe(0);
  answers("missing");
  writeFileSync(sshd.file("bin/unpack"), UNPACK);
  succeeded(await up());
  expect(unpacked()).toBe(ARCHIVE);
  await expectNothingToDo();
});
