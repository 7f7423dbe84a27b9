/** A real VM, booted from the document that every cloud gets. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { destroy, nextBoot, start, type StartedVm, status, type VmSpec } from "../../vm/machine";
import { planMachine } from "../../vm/plan";
import { isAlive } from "../../vm/process";
import { readRecord } from "../../vm/record";

const exec = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), "fleet-vm-boot-"));
const dir = join(root, "vms", "test-vm-1");
const said: string[] = [];
const say = (line: string): void => void said.push(line);

const hostKey = newKey("host");
const operatorKey = newKey("operator");
const base = {
  instanceId: "test-1",
  hostname: "vm-1",
  userData: userData({
    HOSTNAME: "vm-1",
    HOST_KEY_PRIVATE: hostKey.privateKey,
    HOST_KEY_PUBLIC: hostKey.publicKey,
    SSH_USER: "root",
    SSH_PUBLIC_KEY: operatorKey.publicKey,
  }),
  cpus: 2,
  memoryMiB: 1024,
  diskGiB: 10,
  image: "debian-12",
};
let spec: VmSpec;
let vm: StartedVm;

beforeAll(async () => {
  spec = { ...base, ...(await planMachine(dir, [18_787])) };
  vm = await start(dir, spec, say);
  await sshAnswers();
});
afterAll(async () => {
  await destroy(dir, say);
  rmSync(root, { recursive: true });
});

test("SSH answers with the host key that was known before the first boot", async () => {
  expect(await ssh("hostname")).toBe("vm-1");
});

test("cloud-init takes the document without a complaint", async () => {
  expect(await ssh("cloud-init status --wait | tail -1")).toBe("status: done");
  expect(await ssh("cloud-init schema --system")).toContain("Valid");
  expect(await ssh("systemctl --failed --no-legend --plain")).toBe("");
});

test("the ed25519 host key is the only one", async () => {
  expect(await ssh("ls /etc/ssh/ssh_host_*")).toBe(
    "/etc/ssh/ssh_host_ed25519_key\n/etc/ssh/ssh_host_ed25519_key.pub",
  );
});

test("passwords are refused, keys alone are offered", async () => {
  const noKey = ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password"];
  await expect(ssh("true", noKey)).rejects.toThrow("Permission denied (publickey)");
  expect(await ssh("awk -F: '$2 !~ /^[!*]/' /etc/shadow")).toBe("");
});

test("the root file system fills the disk that was asked for", async () => {
  const gib = Number(await ssh("df --output=size -BG / | tail -1 | tr -d ' G'"));
  expect(gib).toBeGreaterThanOrEqual(9);
});

test("programs lie at fixed addresses where amd64 is emulated, and at random ones elsewhere", async () => {
  const fixed = readRecord(dir)?.accel === "tcg" && process.arch === "x64";
  expect(await ssh("cat /proc/sys/kernel/randomize_va_space")).toBe(fixed ? "0" : "2");
});

test("its own name resolves without asking anyone, and the internet is routed", async () => {
  expect(await ssh("getent hosts vm-1")).toMatch(/^127\.0\.1\.1\s/);
  expect(await ssh("ip -4 route show default")).toContain("via 10.0.2.2");
  expect(await ssh("cat /etc/resolv.conf")).toContain("10.0.2.3");
});

test("the folder and what holds the private key are for the owner alone", () => {
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  for (const file of ["seed.iso", "seed.json", "console.log", "vm.json"]) {
    expect([file, statSync(join(dir, file)).mode & 0o777]).toEqual([file, 0o600]);
  }
});

test("a second start with the same input changes nothing", async () => {
  const before = [readFileSync(join(dir, "vm.json"), "utf8"), statSync(join(dir, "seed.iso")).ino];
  expect(await start(dir, spec, say)).toEqual(vm);
  const after = [readFileSync(join(dir, "vm.json"), "utf8"), statSync(join(dir, "seed.iso")).ino];
  expect(after).toEqual(before);
});

test("a port of the VM is reached through loopback, one added later too, without a restart", async () => {
  await serve(18_787, "first");
  expect(await fetchText(vm.forwards["18787"])).toBe("first");

  const process = readRecord(dir)?.process;
  await serve(18_788, "second");
  vm = await start(dir, { ...base, ...(await planMachine(dir, [18_787, 18_788])) }, say);
  expect(await fetchText(vm.forwards["18788"])).toBe("second");
  expect(await fetchText(vm.forwards["18787"])).toBe("first");

  const gone = vm.forwards["18788"];
  vm = await start(dir, spec, say);
  await expect(fetchText(gone)).rejects.toThrow();
  expect(readRecord(dir)?.process).toEqual(process);
});

test("a killed VM is due for another boot, and comes back with its disk, host key and ports", async () => {
  await ssh("echo kept >/root/note; sync");
  const died = readRecord(dir)?.process;
  if (!died) throw new Error("no process recorded");
  process.kill(died.pid, "SIGKILL");
  while (isAlive(died)) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(status(dir).running).toBe(false);
  expect(nextBoot(dir)).toBe(2);

  const ports = vm;
  const plan = await planMachine(dir, [18_787]);
  expect(plan).toMatchObject({ machine: spec.machine, boot: 2, sshPort: vm.sshPort });
  vm = await start(dir, { ...base, ...plan }, say);
  expect(vm).toEqual(ports);
  expect(nextBoot(dir)).toBe(2);
  await sshAnswers();
  expect(await ssh("cat /root/note")).toBe("kept");
  expect(await ssh("cloud-init status --wait | tail -1")).toBe("status: done");
  expect(await ssh("cat /etc/ssh/ssh_host_ed25519_key.pub")).toContain(keyBody(hostKey.publicKey));
});

test("the journal of the first boot is still there", async () => {
  expect((await ssh("journalctl --list-boots --no-pager -q")).split("\n")).toHaveLength(2);
});

test("a larger disk and more memory come with a restart of the guest", async () => {
  const before = readRecord(dir)?.process;
  const larger = { ...spec, boot: 2, diskGiB: 12, memoryMiB: 1536 };
  vm = await start(dir, larger, say);
  expect(readRecord(dir)?.process).not.toEqual(before);
  expect(said).toContain("test-vm-1: restarting it for its new size");
  await sshAnswers();
  expect(Number(await ssh("df --output=size -BG / | tail -1 | tr -d ' G'"))).toBeGreaterThan(10);
  expect(
    Number(await ssh("awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo")),
  ).toBeGreaterThan(1300);
});

test("a smaller disk or another image is not done, and said", async () => {
  const other = { ...spec, boot: 2, diskGiB: 5, memoryMiB: 1536, image: "debian-13" };
  const before = readRecord(dir)?.process;
  await start(dir, other, say);
  expect(readRecord(dir)?.process).toEqual(before);
  expect(said).toContain("test-vm-1: stays on debian-12; another image (debian-13) needs a new VM");
  expect(said).toContain("test-vm-1: the disk stays at 12 GiB; to shrink it to 5 needs a new VM");
});

test("destroy leaves neither process nor folder, and is fine with nothing there", async () => {
  const ref = readRecord(dir)?.process;
  await destroy(dir, say);
  expect(isAlive(ref ?? undefined)).toBe(false);
  expect(existsSync(dir)).toBe(false);
  await destroy(dir, say);
});

interface Key {
  readonly file: string;
  readonly privateKey: string;
  readonly publicKey: string;
}

function newKey(name: string): Key {
  const file = join(root, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
  const publicKey = readFileSync(`${file}.pub`, "utf8").trim();
  return { file, privateKey: readFileSync(file, "utf8"), publicKey };
}

function keyBody(line: string): string {
  return line.split(" ")[1] ?? "";
}

function userData(values: Readonly<Record<string, string>>): string {
  const document = join(__dirname, "../../assets/cloud-init/user-data.yaml");
  return readFileSync(document, "utf8").replace(/@([A-Z_]+)@/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : JSON.stringify(value);
  });
}

async function ssh(command: string, more: readonly string[] = []): Promise<string> {
  const known = join(root, "known_hosts");
  writeFileSync(known, `vm ssh-ed25519 ${keyBody(hostKey.publicKey)}\n`);
  const options = {
    BatchMode: "yes",
    ConnectTimeout: "3",
    HostKeyAlias: "vm",
    IdentitiesOnly: "yes",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: known,
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const where = ["-i", operatorKey.file, "-p", String(vm.sshPort), "root@127.0.0.1"];
  const { stdout } = await exec("ssh", ["-F", "none", ...more, ...flags, ...where, command]);
  return stdout.trim();
}

async function sshAnswers(): Promise<void> {
  const deadline = Date.now() + 300_000;
  for (;;) {
    try {
      await ssh("true");
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** Answers HTTP on a port of the VM, with Python, which cloud-init brings. */
async function serve(port: number, text: string): Promise<void> {
  const folder = `/srv/${String(port)}`;
  const at = `-d ${folder} ${String(port)}`;
  await ssh(`mkdir ${folder} && printf ${text} >${folder}/index.html
systemd-run -q python3 -m http.server ${at}
until ss -ltn | grep -q :${String(port)}; do sleep 0.2; done`);
}

async function fetchText(port: number | undefined): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${String(port)}/`);
  return response.text();
}
