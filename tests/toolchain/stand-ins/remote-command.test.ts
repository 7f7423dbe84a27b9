import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { isSecret, type Properties } from "../support/wire";
import { BUILD_MS, Plugin } from "../support/plugin";
import { freePort, Sshd } from "../support/sshd";

let sshd: Sshd;
let plugin: Plugin;

beforeAll(async () => {
  sshd = await Sshd.start(["AcceptEnv ALLOWED"]);
  plugin = await Plugin.start("command", "command:remote:Command");
}, BUILD_MS);
afterAll(() => {
  plugin.end();
  sshd.end();
});
beforeEach(() => {
  plugin.lines.length = 0;
  sshd.log = "";
});

const on = (changes: Record<string, unknown> = {}): Properties =>
  ({ connection: sshd.connection(changes) }) as Properties;

test("create runs over SSH with stdin and gives both outputs, one newline trimmed", async () => {
  const { id, state } = await plugin.create({
    ...on(),
    create: "cat; echo done; echo problem >&2",
    stdin: "given\n",
  });
  expect(id).toMatch(/^step[0-9a-f]{8}$/);
  expect(state["stdout"]).toBe("given\ndone");
  expect(state["stderr"]).toBe("problem");
});

test("a command without stdin sees the end of its input at once", async () => {
  const { state } = await plugin.create({ ...on(), create: "cat; echo end" });
  expect(state["stdout"]).toBe("end");
});

test("a megabyte of stdin and of output passes unharmed", async () => {
  const stdin = "0123456789abcde\n".repeat(65536);
  const { state } = await plugin.create({ ...on(), create: "cat", stdin, logging: "none" });
  expect(state["stdout"]).toBe(stdin.slice(0, -1));
});

test("a failed command gives the official text with the command and its output", async () => {
  await expect(plugin.create({ ...on(), create: "echo why >&2; exit 7" })).rejects.toThrow(
    /^Process exited with status 7: running "echo why >&2; exit 7":\nwhy\n$/,
  );
});

test("a command that a signal ends says which", async () => {
  await expect(plugin.create({ ...on(), create: "kill -KILL $$" })).rejects.toThrow(
    /^Process exited with status 137 from signal KILL: running /,
  );
});

test("a server with another host key is refused before anything is sent", async () => {
  const file = sshd.file("touched");
  await expect(
    plugin.create({
      ...on({ hostKey: sshd.read("other-host.pub") }),
      create: `touch ${file}`,
    }),
  ).rejects.toThrow(/^after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch$/);
  expect(existsSync(file)).toBe(false);
  // The server has not even learned which user it was.
  await sshd.logged("[preauth]");
  expect(sshd.log).not.toContain("authenticating user");
});

test("only the pinned key's type is offered: an RSA pin offers SHA-1, which OpenSSH refuses", async () => {
  await expect(
    plugin.create({ ...on({ hostKey: sshd.read("host-rsa.pub") }), create: "true" }),
  ).rejects.toThrow("ssh: no common algorithm for host key; we offered: [ssh-rsa]");
});

test("without a pin any host key is taken", async () => {
  const connection = sshd.connection();
  delete connection["hostKey"];
  const { state } = await plugin.create({ connection, create: "echo in" } as Properties);
  expect(state["stdout"]).toBe("in");
});

test("a key that the server does not know fails with the methods that were tried", async () => {
  await expect(
    plugin.create({ ...on({ privateKey: sshd.read("stranger") }), create: "true" }),
  ).rejects.toThrow(
    "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
  );
});

test("a private key that is none fails at once, without a dial", async () => {
  await expect(
    plugin.create({ ...on({ privateKey: "nonsense", dialErrorLimit: -1 }), create: "true" }),
  ).rejects.toThrow(/^ssh: no key found$/);
  expect(sshd.log).not.toContain("Connection from");
});

test("a refused connection is retried dialErrorLimit times and then fails", async () => {
  const port = await freePort();
  await expect(
    plugin.create({ ...on({ port, dialErrorLimit: 3 }), create: "true" }),
  ).rejects.toThrow(
    `after 3 failed attempts: dial tcp 127.0.0.1:${port.toString()}: connect: connection refused`,
  );
  expect(plugin.lines.map(({ text }) => text)).toEqual([
    "Dial 1/3 failed: retrying",
    "Dial 2/3 failed: retrying",
    "Dial 3/3 failed: retrying",
  ]);
});

test("the default is ten tries, filled in by the check with the other defaults, as a secret", async () => {
  const { inputs } = await plugin.check({ connection: { host: "h" } });
  expect(isSecret(inputs["connection"])).toBe(true);
  expect((inputs["connection"] as Properties)["value"]).toEqual({
    host: "h",
    port: 22,
    user: "root",
    dialErrorLimit: 10,
    perDialTimeout: 15,
  });
});

test("-1 retries without end, until the server answers", async () => {
  await sshd.stop();
  const created = plugin.create({ ...on({ dialErrorLimit: -1 }), create: "echo up" });
  await plugin.told("Dial 1/inf failed: retrying").finally(async () => sshd.run());
  expect((await created).state["stdout"]).toBe("up");
});

test("the custom timeout and cancel end the retries", async () => {
  const port = await freePort();
  const unending = { ...on({ port, dialErrorLimit: -1 }), create: "true" };
  await expect(plugin.create(unending, { timeout: 0.5 })).rejects.toThrow(
    "context deadline exceeded",
  );
  plugin.lines.length = 0;
  const running = expect(plugin.create(unending)).rejects.toThrow("context canceled");
  await plugin.told("Dial 1/inf failed: retrying");
  await plugin.cancel();
  await running;
});

test("a server that does not answer the dial is given up after perDialTimeout", async () => {
  const stuck = await stuckServer();
  try {
    const address = `127.0.0.1:${stuck.port.toString()}`;
    await expect(
      plugin.create({ ...on({ port: stuck.port, perDialTimeout: 1 }), create: "true" }),
    ).rejects.toThrow(`after 0 failed attempts: dial tcp ${address}: i/o timeout`);
  } finally {
    stuck.end();
  }
});

/** A stopped process whose queue of connections is full: it answers no further dial. */
async function stuckServer(): Promise<{ port: number; end: () => void }> {
  const program =
    "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "ignore"] });
  const port = await new Promise<number>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => {
      resolve(Number(chunk));
    });
  });
  child.kill("SIGSTOP");
  const fillers = Array.from({ length: 5 }, () => connect(port, "127.0.0.1"));
  for (const socket of fillers) {
    socket.on("error", () => undefined);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return {
    port,
    end: () => {
      child.kill("SIGKILL");
      for (const socket of fillers) {
        socket.destroy();
      }
    },
  };
}

test("a running command does not heed cancel", async () => {
  const running = plugin.create({ ...on(), create: "echo started; sleep 1; echo finished" });
  // Only a command that runs is meant: a connection that is still being made is given up.
  await plugin.told("started");
  await plugin.cancel();
  expect((await running).state["stdout"]).toBe("started\nfinished");
});

test("an accepted variable arrives; a refused one fails the step before the command runs", async () => {
  const { state } = await plugin.create({
    ...on(),
    create: "echo $ALLOWED",
    environment: { ALLOWED: "yes" },
  });
  expect(state["stdout"]).toBe("yes");
  const file = sshd.file("ran");
  await expect(
    plugin.create({ ...on(), create: `touch ${file}`, environment: { REFUSED: "x" } }),
  ).rejects.toThrow('could not set environment variable "REFUSED": ssh: setenv failed');
  expect(existsSync(file)).toBe(false);
  expect(plugin.lines.at(-1)?.text).toContain("AcceptEnv");
});

test("a previous output that the server refuses is a warning, and not asked for when switched off", async () => {
  const news = { ...on(), create: "echo new" };
  const updated = await plugin.update({ ...news, stdout: "old" }, news);
  expect(updated["stdout"]).toBe("new");
  expect(plugin.lines.map(({ text }) => text.split(".")[0])).toEqual([
    "Unable to set 'PULUMI_COMMAND_STDOUT'",
    "new",
  ]);
  plugin.lines.length = 0;
  await plugin.update({ ...news, stdout: "old" }, { ...news, addPreviousOutputInEnv: false });
  expect(plugin.lines.map(({ text }) => text)).toEqual(["new"]);
});

test("delete uses the connection in the state", async () => {
  const file = sshd.file("deleted");
  await plugin.delete({ ...on(), delete: `echo gone > ${file}` });
  expect(readFileSync(file, "utf8")).toBe("gone\n");
  const port = await freePort();
  await expect(plugin.delete({ ...on({ port }), delete: "true" })).rejects.toThrow(
    "connection refused",
  );
});

test("logging none shows nothing of either stream", async () => {
  await plugin.create({ ...on(), create: "echo out; echo err >&2", logging: "none" });
  expect(plugin.lines).toEqual([]);
});

test("a bastion is dialled first and the server through it", async () => {
  const bastion = await Sshd.start();
  try {
    const proxy = bastion.connection() as Properties;
    const { state } = await plugin.create({ ...on({ proxy }), create: "echo through" });
    expect(state["stdout"]).toBe("through");
    expect(bastion.accepted()).toBe(1);
    await expect(
      plugin.create({
        ...on({ proxy: bastion.connection({ hostKey: sshd.read("other-host.pub") }) }),
        create: "true",
      }),
    ).rejects.toThrow(/^proxy: after 0 failed attempts: ssh: handshake failed: ssh: host key mism/);
  } finally {
    bastion.end();
  }
});

test("an agent whose socket is dead is an error even where there is a key", async () => {
  await expect(
    plugin.create({ ...on({ agentSocketPath: "/no/agent" }), create: "true" }),
  ).rejects.toThrow("dial unix /no/agent: connect: no such file or directory");
});

test("a connection change updates, and the state keeps the new connection as a secret", async () => {
  const olds = (await plugin.check({ ...on(), create: "true" })).inputs;
  const news = (await plugin.check({ ...on({ user: "other" }), create: "true" })).inputs;
  expect(await plugin.diff(olds, olds)).toEqual({ changed: [], replaces: [] });
  expect(await plugin.diff(olds, news)).toEqual({ changed: ["connection"], replaces: [] });
  const { state } = await plugin.create(olds);
  expect(isSecret(state["connection"])).toBe(true);
});

test("an encrypted private key opens with its password and names the lack of one", async () => {
  const key = sshd.file("encrypted");
  writeFileSync(key, sshd.read("user"), { mode: 0o600 });
  execFileSync("ssh-keygen", ["-q", "-p", "-N", "secret", "-P", "", "-f", key]);
  const privateKey = readFileSync(key, "utf8");
  const { state } = await plugin.create({
    ...on({ privateKey, privateKeyPassword: "secret" }),
    create: "echo opened",
  });
  expect(state["stdout"]).toBe("opened");
  await expect(plugin.create({ ...on({ privateKey }), create: "true" })).rejects.toThrow(
    "ssh: this private key is passphrase protected",
  );
});
