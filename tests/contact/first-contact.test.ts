/** The first contact with a real OpenSSH server on loopback; only `systemctl` there is a stand-in. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync } from "node:fs";
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstContact, type NewMachine } from "../../contact/first-contact";
import { logIn } from "../../contact/log-in";
import { freePort, Sshd } from "../toolchain/support/sshd";

const SCRIPT = readFileSync(join(__dirname, "../../assets/scripts/host-key"), "utf8");
const IMPATIENT = { reach: 0, certain: 0, pause: 0.05 };
const PATIENT = { reach: 30, certain: 30, pause: 0.05 };

/** A server that never takes a connection. */
const DEAF = `const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  require("node:fs").writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);
})`;

let root: string;
let sshd: Sshd;
let planted: string;
let said: string[];

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "fleet-contact-"));
  sshd = await Sshd.start([`SetEnv FLEET_ROOT=${root} PATH=${root}/bin:/usr/bin:/bin`]);
  planted = words(sshd.read("host-ed25519.pub"));
  // The server's key lies where it does on a host, and its reload is a signal.
  mkdirSync(join(root, "etc/ssh"), { recursive: true });
  renameSync(sshd.file("host-ed25519"), hostKeyFile());
  renameSync(sshd.file("host-ed25519.pub"), `${hostKeyFile()}.pub`);
  symlinkSync(hostKeyFile(), sshd.file("host-ed25519"));
  mkdirSync(join(root, "bin"));
  const reload = `#!/bin/sh\n[ "$1" != reload ] || kill -HUP "$(cat '${sshd.file("pid")}')"\n`;
  writeFileSync(join(root, "bin/systemctl"), reload, { mode: 0o755 });
  said = [];
});
afterEach(() => {
  sshd.end();
  rmSync(root, { recursive: true });
});

const hostKeyFile = () => join(root, "etc/ssh/ssh_host_ed25519_key");
const words = (key: string) => key.trim().split(" ").slice(0, 2).join(" ");
const own = () => ({
  privateKey: sshd.read("other-host"),
  publicKey: words(sshd.read("other-host.pub")),
});

function machine(changes: Partial<NewMachine> = {}): NewMachine {
  return {
    name: "vm-1",
    address: "127.0.0.1",
    port: sshd.port,
    user: sshd.user,
    privateKey: sshd.read("user"),
    plantedKey: planted,
    ownKey: own(),
    ...changes,
  };
}

const contact = (changes: Partial<NewMachine> = {}, patience = PATIENT) =>
  firstContact(machine(changes), SCRIPT, (line) => said.push(line), patience);

/** Whether the server answers with this key. */
const answersWith = async (key: string) =>
  logIn(machine(), [key]).then(
    (client) => {
      client.end();
      return true;
    },
    () => false,
  );

test("the machine answers with its own key afterwards, and no more with the planted one", async () => {
  expect(await answersWith(planted)).toBe(true);
  await contact();
  expect(await answersWith(own().publicKey)).toBe(true);
  expect(await answersWith(planted)).toBe(false);
  expect(readdirSync(join(root, "etc/ssh")).sort()).toEqual([
    "ssh_host_ed25519_key",
    "ssh_host_ed25519_key.pub",
  ]);
  expect(said).toEqual([]);
});

test("a second contact, after a run that was killed when the key was replaced, goes as the first", async () => {
  await contact();
  await contact();
  expect(await answersWith(own().publicKey)).toBe(true);
});

test("a machine whose SSH server does not take its own key is told, and is brought to it once it does", async () => {
  rmSync(sshd.file("host-ed25519"));
  copyFileSync(hostKeyFile(), sshd.file("host-ed25519"));
  await expect(contact({}, { ...PATIENT, certain: 0 })).rejects.toThrow(
    /^vm-1: given up after 0 s: 127\.0\.0\.1 port \d+ still answers with the host key from its user data\n/,
  );
  expect(await answersWith(planted)).toBe(true);
  rmSync(sshd.file("host-ed25519"));
  symlinkSync(hostKeyFile(), sshd.file("host-ed25519"));
  await contact();
  expect(await answersWith(own().publicKey)).toBe(true);
});

test("another host key is told at once when it is certain, and nobody logs in", async () => {
  await expect(
    contact({ plantedKey: words(sshd.read("host-rsa.pub")) }, IMPATIENT),
  ).rejects.toThrow(
    `answers with another host key than it should: ${planted}\n  nothing was sent:`,
  );
  expect(sshd.accepted()).toBe(0);
});

test("another host key is waited for, as cloud-init may not have come to it", async () => {
  const contacted = contact({ plantedKey: own().publicKey });
  await until(() => said.length > 0);
  expect(said).toEqual([expect.stringContaining("answers with another host key")]);
  rmSync(sshd.file("host-ed25519"));
  renameSync(sshd.file("other-host"), sshd.file("host-ed25519"));
  process.kill(Number(sshd.read("pid")), "SIGHUP");
  await contacted;
});

test("a user that is not let in is told with its name", async () => {
  await expect(contact({ privateKey: sshd.read("stranger") }, IMPATIENT)).rejects.toThrow(
    `does not let ${sshd.user} in with the stack's key\n  its first boot did not make that user`,
  );
});

test("a server that is not up yet is waited for", async () => {
  await sshd.stop();
  const contacted = contact();
  await until(() => said.length > 0);
  expect(said).toEqual([`vm-1: 127.0.0.1 port ${String(sshd.port)} refuses the connection`]);
  await sshd.run();
  await contacted;
  expect(await answersWith(own().publicKey)).toBe(true);
});

test("a key that arrives cut off changes nothing, and the script's words are told", async () => {
  const half = { ...own(), privateKey: own().privateKey.slice(0, 200) };
  await expect(contact({ ownKey: half })).rejects.toThrow(
    /^vm-1: could not take its own host key \(exit code \d+\): .*oad key/,
  );
  expect(await answersWith(planted)).toBe(true);
  expect(readdirSync(join(root, "etc/ssh"))).toHaveLength(2);
});

test("no private key stands in what is told", async () => {
  const refused = contact({ plantedKey: "ssh-ed25519 AAAA" }, { ...IMPATIENT, certain: 0.2 });
  const error: unknown = await refused.catch((reason: unknown) => reason);
  expect([...said, String(error)].join("\n")).toContain("answers with another host key");
  expect([...said, String(error)].join("\n")).not.toContain("PRIVATE KEY");
});

describe("what is in the way is named", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    server = undefined;
  });

  async function listen(answer: (end: () => void) => void): Promise<number> {
    const listening = createServer((socket) => {
      answer(() => socket.destroy());
    });
    server = listening;
    await new Promise<void>((done) => listening.listen(0, "127.0.0.1", done));
    return (listening.address() as AddressInfo).port;
  }

  test("refused", async () => {
    await expect(contact({ port: await freePort() }, IMPATIENT)).rejects.toThrow(
      /refuses the connection\n {2}the machine is there, but no SSH server runs on it/,
    );
  });

  test("closed at once", async () => {
    const port = await listen((end) => {
      end();
    });
    await expect(contact({ port }, IMPATIENT)).rejects.toThrow(
      /takes the connection and closes it\n/,
    );
  });

  test("a handshake that hangs", async () => {
    const port = await listen(() => undefined);
    await expect(contact({ port }, IMPATIENT)).rejects.toThrow(
      /takes the connection, but no SSH handshake comes to its end\n/,
    );
  });

  test("no answer", async () => {
    // A full queue of connections that nobody takes: the kernel drops what comes after them.
    const deaf = spawn(process.execPath, ["-e", DEAF], { stdio: ["ignore", "pipe", "ignore"] });
    const port = Number(await new Promise((done) => deaf.stdout.once("data", done)));
    const queue = Array.from({ length: 4 }, () => connect(port, "127.0.0.1"));
    try {
      await expect(contact({ port }, IMPATIENT)).rejects.toThrow(
        /: nothing answers at 127\.0\.0\.1 port \d+\n {2}it is off, or a firewall .*ssh\.allowFrom/,
      );
    } finally {
      queue.forEach((socket) => socket.destroy());
      deaf.kill();
    }
  });

  test("no route", async () => {
    // No TCP goes to an address of many.
    await expect(contact({ address: "224.0.0.1" }, IMPATIENT)).rejects.toThrow(
      /: there is no route to 224\.0\.0\.1 port \d+\n/,
    );
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((done) => setTimeout(done, 10));
}
