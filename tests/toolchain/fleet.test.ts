/** The bootstrap, in a copy of the project with stand-ins for node and npm. */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string;
const bin = (name: string) => join(folder, "bin", name);
const project = (name: string) => join(folder, "project", name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleet-bootstrap-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "project"));
  copyFileSync(join(__dirname, "..", "..", "fleet"), project("fleet"));
  writeFileSync(project("package-lock.json"), "{}");
  for (const tool of ["sh", "cksum", "cat", "mktemp", "rm", "mv", "mkdir", "sed", "id", "find"]) {
    symlinkSync(`/usr/bin/${tool}`, bin(tool));
  }
  for (const tool of ["dirname", "readlink"]) {
    symlinkSync(`/usr/bin/${tool}`, bin(tool));
  }
  script("node", 'case $1 in --version) echo v22.1.0 ;; *) echo "ran: $*" ;; esac');
  script("npm", 'mkdir -p node_modules; echo "npm $*" >>calls');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function script(name: string, body: string): void {
  writeFileSync(bin(name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

function fleet(args: string[], start = project("fleet")) {
  const run = spawnSync(start, args, {
    cwd: "/",
    env: { PATH: join(folder, "bin"), TMPDIR: folder },
    encoding: "utf8",
  });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}
const npmCalls = () =>
  existsSync(project("calls")) ? readFileSync(project("calls"), "utf8").trim().split("\n") : [];

test("hands all arguments to the CLI, from anywhere and through a link", () => {
  symlinkSync("../project/fleet", bin("fl"));
  const { code, stdout } = fleet(["up", "--stack", "a b"], bin("fl"));
  expect(code).toBe(0);
  expect(stdout).toBe(
    `ran: --require ${project("toolchain/transpile.cjs")} ${project("cli/main.ts")} up --stack a b\n`,
  );
});

test("leaves a node_modules alone that is a link to somebody else's", () => {
  mkdirSync(join(folder, "others"));
  writeFileSync(join(folder, "others", "kept"), "");
  symlinkSync("../others", project("node_modules"));
  const { code, stderr } = fleet(["up"]);
  expect(code).toBe(1);
  expect(stderr).toContain("node_modules is a link");
  expect(npmCalls()).toEqual([]);
});

test("installs packages once, without scripts and development packages, and says why", () => {
  expect(fleet(["up"]).stderr).toContain("they are not installed yet");
  expect(npmCalls()).toEqual(["npm ci --ignore-scripts --no-audit --no-fund --omit=dev"]);
  expect(fleet(["up"]).stderr).toBe("");
  expect(npmCalls()).toHaveLength(1);
});

test("installs again when the lock has changed", () => {
  fleet(["up"]);
  writeFileSync(project("package-lock.json"), '{"changed":true}');
  expect(fleet(["up"]).stderr).toContain("package-lock.json has changed");
  expect(npmCalls()).toHaveLength(2);
});

test("the test command gets the development packages, and keeps them", () => {
  fleet(["up"]);
  expect(fleet(["test"]).stderr).toContain("tests need the development packages");
  writeFileSync(project("package-lock.json"), '{"changed":true}');
  fleet(["up"]);
  expect(npmCalls().map((call) => call.includes("--omit=dev"))).toEqual([true, false, false]);
});

test("packages that a person has installed from this lock are kept; older ones are not", () => {
  mkdirSync(project("node_modules/jest"), { recursive: true });
  writeFileSync(project("node_modules/.package-lock.json"), "{}");
  const later = new Date(Date.now() + 1000);
  utimesSync(project("node_modules/.package-lock.json"), later, later);
  expect(fleet(["test"]).stderr).toBe("");
  expect(npmCalls()).toEqual([]);

  rmSync(project("node_modules/.agent-fleet"));
  const earlier = new Date(Date.now() - 60_000);
  utimesSync(project("node_modules/.package-lock.json"), earlier, earlier);
  expect(fleet(["up"]).stderr).toContain("node_modules was made by something else");
});

test("a failed install shows npm's words, fails, and is tried again", () => {
  script("npm", "echo no such package; exit 1");
  const { code, stderr } = fleet(["up"]);
  expect(code).toBe(1);
  expect(stderr).toContain("no such package");
  script("npm", "mkdir -p node_modules; echo again >>calls");
  fleet(["up"]);
  expect(npmCalls()).toEqual(["again"]);
});

test("a Node that is too old, where nothing may be installed, ends with what to install", () => {
  script("node", "case $1 in -e) exit 1 ;; *) echo v18.20.0 ;; esac");
  const { code, stderr } = fleet(["up"]);
  expect(code).toBe(1);
  expect(stderr).toContain("Node v18.20.0 is too old; version 20 or newer is needed");
  for (const system of ["Debian", "RHEL", "Arch", "macOS"]) {
    expect(stderr).toContain(system);
  }
});

test("apt installs Node where it offers a fitting one and root is at hand", () => {
  script(
    "node",
    'case $1 in --version) [ -f "$TMPDIR/new" ] && echo v20.19.2 ;; *) echo "ran: $*" ;; esac',
  );
  script("apt-cache", "echo '  Candidate: 20.19.2+dfsg-1'");
  script("apt-get", 'echo "apt-get $*"; : >"$TMPDIR/new"');
  script("env", 'shift; exec "$@"');
  script("id", "echo 0");
  const { code, stderr } = fleet(["up"]);
  expect(code).toBe(0);
  expect(stderr).toContain("apt-get install -y -q nodejs npm");
});

test.each([
  ["apt's Node is too old", "18.20.4+dfsg-1", "echo 0", "exit 1"],
  ["sudo asks for a password", "20.19.2+dfsg-1", "echo 1000", "exit 1"],
])("apt is left alone when %s", (_why, candidate, id, sudo) => {
  script("node", "exit 1");
  script("apt-cache", `echo '  Candidate: ${candidate}'`);
  script("apt-get", ': >"$TMPDIR/touched"');
  rmSync(bin("id"));
  script("id", id);
  script("sudo", sudo);
  expect(fleet(["up"]).code).toBe(1);
  expect(existsSync(join(folder, "touched"))).toBe(false);
});
