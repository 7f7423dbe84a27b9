/** Broken on purpose: small images with one fault each, and what the check says of them. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { verifyImage } from "../../../vm/agent/claims";
import { imageFiles, neededPackages } from "../../../vm/agent/names";
import { toolEnv } from "../../../vm/run";

const VM = join(__dirname, "../../../vm");
const LIB_RECORD = join(__dirname, "../../../assets/scripts/bin/lib-record.sh");
/** An agent's release in the image. */
const RELEASE = "opt/one-agent/releases/abc";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "agent-image-"));
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

/** A folder that becomes the image's root. */
class Root {
  constructor(readonly folder: string) {}

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { recursive: true });
  }

  link(path: string, to: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    symlinkSync(to, join(this.folder, path));
  }

  /** Lists a release as a host does, whose file system need not have the image's order. */
  list(path: string): void {
    const listing = join(dirname(path), `.listing-${basename(path)}`);
    const script = '. "$1"; put_listing "$2" "$3"; sort -r -o "$3" "$3"';
    execFileSync("sh", ["-c", script, "list", LIB_RECORD, path, listing], { cwd: this.folder });
  }
}

/** As much of an agent-ready image as its check reads. */
function goodRoot(): Root {
  const root = new Root(join(base, "root"));
  for (const files of ["image/files", "agent/files"]) {
    cpSync(join(VM, files), root.folder, { recursive: true });
  }
  root.write("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n");
  root.write("etc/passwd", `${passwd("root", 0, "/root")}${passwd("agent", 1000, "/home/agent")}`);
  root.write("etc/shadow", "root:!*:20454::::::\ndaemon:*:20454::::::\nagent:!:20454::::::\n");
  root.write("etc/machine-id", "");
  root.write("home/agent/.profile", "");
  root.write("var/lib/systemd/linger/agent", "");
  root.write("usr/lib/modules/6.1.0-9-test/modules.dep", "");
  root.write("var/lib/dpkg/status", status(neededPackages));
  root.link(
    "etc/systemd/system/multi-user.target.wants/ssh.service",
    "/lib/systemd/system/ssh.service",
  );
  for (const [name, version] of Object.entries({
    node: "24.1.0",
    pnpm: "10.1.0",
    opencode: "1.2.3",
  })) {
    const lib = `usr/local/lib/${name}`;
    root.write(`${lib}/bin/${name}`, "#!/bin/sh\n");
    chmodSync(join(root.folder, lib, "bin", name), 0o755);
    root.write(`${lib}/package.json`, JSON.stringify({ version }));
    root.link(`usr/local/bin/${name}`, `../lib/${name}/bin/${name}`);
  }
  root.write(`${RELEASE}/src/index.ts`, "code");
  root.link(`${RELEASE}/main.ts`, "src/index.ts");
  root.list(RELEASE);
  return root;
}

function passwd(name: string, uid: number, home: string): string {
  return `${name}:x:${String(uid)}:${String(uid)}::${home}:/bin/bash\n`;
}

function status(packages: readonly string[]): string {
  return packages
    .map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1.0-1\n`)
    .join("\n");
}

/** Makes the file; owners are set in it, since the test need not be root. */
function imageOf(root: Root, owners: Readonly<Record<string, number>> = {}): string {
  const file = join(base, imageFiles.disk);
  const baked = { [`/${RELEASE}`]: "sha256:ab" };
  writeFileSync(join(base, imageFiles.manifest), JSON.stringify({ baked }));
  writeFileSync(join(base, imageFiles.kernel), "\0\x7fLinux version 6.1.0-9-test (a@b)\0");
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { env: toolEnv, stdio: ["ignore", "ignore", "pipe"] });
  run("mke2fs", "-q", "-t", "ext4", "-d", root.folder, file, "8M");
  const script = join(base, "owners");
  const all = { "/etc/sudoers.d/agent": 0, "/home/agent": 1000, ...owners };
  const commands = Object.entries(all).map(([path, uid]) => `sif ${path} uid ${String(uid)}\n`);
  writeFileSync(script, commands.join(""));
  run("debugfs", "-w", "-f", script, file);
  return file;
}

function faults(file: string): string[] {
  return verifyImage(file).flatMap(({ claim, fault }) =>
    fault === undefined ? [] : [`${claim}: ${fault}`],
  );
}

test("an image with everything passes every check", () => {
  const findings = verifyImage(imageOf(goodRoot()));
  expect(findings.filter(({ fault }) => fault !== undefined)).toEqual([]);
  expect(findings.length).toBeGreaterThanOrEqual(18);
});

test.each<[name: string, breakIt: (root: Root) => void, fault: string]>([
  [
    "a tool that is not installed",
    (root) => {
      const rest = neededPackages.filter((name) => name !== "git");
      root.write("var/lib/dpkg/status", status(rest));
    },
    "the tools are installed: not there: git",
  ],
  [
    "Debian's own Node",
    (root) => {
      root.write("usr/local/lib/node/package.json", '{"version":"18.20.4"}');
    },
    "Node is 22 or newer: it is 18.20.4",
  ],
  [
    "an OpenCode that nobody may run",
    (root) => {
      chmodSync(join(root.folder, "usr/local/lib/opencode/bin/opencode"), 0o644);
    },
    "opencode is there: /usr/local/bin/opencode leads to no program",
  ],
  [
    "no pnpm on PATH",
    (root) => {
      root.remove("usr/local/bin/pnpm");
    },
    "pnpm is there: /usr/local/bin/pnpm leads to no program",
  ],
  [
    "an agent with another id",
    (root) => {
      root.write("etc/passwd", passwd("agent", 1001, "/home/agent"));
    },
    "the user agent has the id 1000, a home of its own and a shell: its id is 1001",
  ],
  [
    "a sudo that asks for a password",
    (root) => {
      root.write("etc/sudoers.d/agent", "agent ALL=(ALL) ALL\n");
    },
    "agent may become root without a password: /etc/sudoers.d/agent does not say so",
  ],
  [
    "no lingering",
    (root) => {
      root.remove("var/lib/systemd/linger/agent");
    },
    "units of agent run without a login: there is no /var/lib/systemd/linger/agent",
  ],
  [
    "an OpenCode unit that stays down",
    (root) => {
      root.write("etc/systemd/user/opencode@.service", "[Service]\nRestart=no\n");
    },
    "opencode@.service is a unit of users, with its folder, port and restart: it does not say " +
      "WorkingDirectory=-%h/workspaces/%i, Environment=PORT=4096 OPENCODE_HOST=127.0.0.1, " +
      "Restart=on-failure, RestartSec=5s",
  ],
  [
    "an sshd that is not enabled",
    (root) => {
      root.remove("etc/systemd/system/multi-user.target.wants/ssh.service");
    },
    "sshd starts with the system: there is no /etc/systemd/system/multi-user.target.wants/ssh.service",
  ],
  [
    "passwords let in by a file that sshd reads first",
    (root) => {
      root.write("etc/ssh/sshd_config.d/00-own.conf", "PasswordAuthentication yes\n");
    },
    "sshd lets in by keys alone: passwordauthentication is not set to no",
  ],
  [
    "an account with a password",
    (root) => {
      root.write("etc/shadow", "root:!:20454::::::\nagent:$y$j9T$abc:20454::::::\n");
    },
    "no account has a password: not locked: agent",
  ],
  [
    "an account with an empty password",
    (root) => {
      root.write("etc/shadow", "root::20454::::::\nagent:!:20454::::::\n");
    },
    "no account has a password: not locked: root",
  ],
  [
    "somebody's key",
    (root) => {
      root.write("home/agent/.ssh/authorized_keys", "ssh-ed25519 AAAA\n");
    },
    "no keys of people are in it: there is /home/agent/.ssh/authorized_keys",
  ],
  [
    "a host key",
    (root) => {
      root.write("etc/ssh/ssh_host_ed25519_key", "key");
    },
    "no host keys are in it: there is ssh_host_ed25519_key",
  ],
  [
    "a machine-id",
    (root) => {
      root.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    },
    "it has no identity yet: each VM gets its own machine-id and random seed: " +
      "/etc/machine-id is not there and empty",
  ],
  [
    "a random seed",
    (root) => {
      root.write("var/lib/systemd/random-seed", "seed");
    },
    "it has no identity yet: each VM gets its own machine-id and random seed: " +
      "there is /var/lib/systemd/random-seed",
  ],
  [
    "a cloud-init that has run",
    (root) => {
      root.link("var/lib/cloud/instance", "/var/lib/cloud/instances/i-1");
    },
    "cloud-init has not run, and reads keys from a seed: cloud-init has run in it",
  ],
  [
    "another kernel's modules",
    (root) => {
      root.remove("usr/lib/modules");
      root.write("usr/lib/modules/6.1.0-8-test/modules.dep", "");
    },
    "the kernel beside it is the one whose modules it has: agent-kernel is 6.1.0-9-test, " +
      "the modules are of 6.1.0-8-test",
  ],
  [
    "a release with other code",
    (root) => {
      root.write(`${RELEASE}/src/index.ts`, "other code");
      root.write(`${RELEASE}/src/more.ts`, "");
      root.remove(`${RELEASE}/main.ts`);
    },
    "agents' runtimes and releases are those of its manifest, as they were unpacked: " +
      `/${RELEASE}: missing main.ts, /${RELEASE}: modified src/index.ts, /${RELEASE}: added src/more.ts`,
  ],
  [
    "a release that others may write",
    (root) => {
      chmodSync(join(root.folder, RELEASE, "src"), 0o777);
    },
    "agents' runtimes and releases are those of its manifest, as they were unpacked: " +
      `/${RELEASE}: modified src`,
  ],
  [
    "a release without its listing",
    (root) => {
      root.remove("opt/one-agent/releases/.listing-abc");
    },
    "agents' runtimes and releases are those of its manifest, as they were unpacked: " +
      `/${RELEASE}: it has no listing`,
  ],
])("%s is found, and nothing else", (_, breakIt, fault) => {
  const root = goodRoot();
  breakIt(root);
  expect(faults(imageOf(root))).toEqual([fault]);
});

test("a home and a sudoers file of somebody else are found", () => {
  expect(faults(imageOf(goodRoot(), { "/home/agent": 0, "/etc/sudoers.d/agent": 1000 }))).toEqual([
    "the user agent has the id 1000, a home of its own and a shell: /home/agent is not a folder of its own",
    "agent may become root without a password: /etc/sudoers.d/agent is not root's alone to write",
  ]);
});

test("a release that is not there, and an image without its manifest, are found", () => {
  const root = goodRoot();
  root.remove(RELEASE);
  expect(faults(imageOf(root))).toEqual([
    expect.stringContaining(`/${RELEASE}: missing main.ts, /${RELEASE}: missing src`),
  ]);
  rmSync(join(base, imageFiles.manifest));
  expect(faults(join(base, imageFiles.disk))).toEqual([
    expect.stringContaining("there is no agent-image.json beside it"),
  ]);
});

test("of a file that was cut off in the middle nothing else is said", () => {
  const file = imageOf(goodRoot());
  truncateSync(file, 2 ** 20);
  const [first, ...rest] = verifyImage(file);
  expect(first?.claim).toBe("the file system is ext4 and whole");
  expect(first?.fault).toMatch(/size/);
  expect(rest).toEqual([]);
});

test("a file that is no file system is none", () => {
  const file = join(base, imageFiles.disk);
  writeFileSync(file, Buffer.alloc(2 ** 20));
  expect(faults(file)).toEqual([
    expect.stringMatching(/^the file system is ext4 and whole: .*super-?block/i),
  ]);
});
