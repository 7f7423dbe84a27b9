/**
 * Agents that have no port, on a machine that existed before: limahost's stand-in as root, and one with a user of its own
 * that is ready when its file is there. Their config files, their log and what is left after them. One story.
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";
import { Clone } from "./support/clone";
import { ExistingMachine } from "./support/existing-machine";
import { until } from "./support/wait";

const STACK = "kinds";
const KEY = `canary-${randomBytes(16).toString("hex")}`;
const ENTRY = "examples/limahost-stand-in/src/index.js";
/** Writes what it can see of /etc/writer, then the file that says that it is ready. */
const WRITER = `
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const seen = readdirSync("/etc/writer").join() + "\\n" + readFileSync(process.env.WRITER_CONFIG, "utf8");
writeFileSync(process.env.WRITER_STATE + "/ready", seen);
setInterval(() => {}, 1e6);
`;
const PROFILE = {
  ...{ name: "writer", description: "Writer", service: "writer", source: "./writer" },
  ...{ runtimes: ["node"], entry: "main.js" },
  health: { staysUpSeconds: 2, file: "{state}/ready" },
  files: { "{name}.toml": { format: "toml", content: { name: "${WRITER_NAME}" } } },
  env: {
    WRITER_NAME: { description: "Its name", default: "{name}" },
    WRITER_CONFIG: { description: "Its config", default: "/etc/writer/{name}.toml" },
    WRITER_STATE: { description: "Its state", default: "{state}" },
  },
};

const clone = new Clone();
const machine = new ExistingMachine(clone.path("existing"));
const beats: (string | undefined)[] = [];
const controlPlane = createServer((request, response) => {
  beats.push(request.headers.authorization);
  response.end();
});
let before: string;
let secrets: string;

beforeAll(async () => {
  await new Promise<void>((done) => controlPlane.listen(0, "127.0.0.1", done));
  await machine.boot();
  clone.write("writer/main.js", WRITER);
  clone.write("writer.yaml", stringify(PROFILE));
  await clone.ok(["stack", "init", STACK]);
  await clone.setSecret("agent-fleet:secrets.LIMA_CONTROL_PLANE_API_KEY", KEY, STACK);
  await clone.setSecret("agent-fleet:sshPrivateKey", machine.privateKey("root"), STACK);
  secrets = clone.file(`Pulumi.${STACK}.yaml`);
  before = await machine.snapshot();
});

afterAll(async () => {
  controlPlane.close();
  try {
    await machine.destroy();
  } finally {
    clone.remove();
  }
});

function stackFile(interval: number): void {
  // As the VM reaches this machine.
  const url = `http://10.0.2.2:${String((controlPlane.address() as AddressInfo).port)}`;
  const lima = {
    ...{ profile: "limahost", source: "examples/limahost-stand-in" },
    env: { LIMA_CONTROL_PLANE_URL: url, LIMA_HEARTBEAT_INTERVAL: interval },
  };
  const own = { profile: "./writer.yaml" };
  const office = {
    ...{ provider: "ssh", address: "127.0.0.1", hostKey: machine.hostKey },
    ssh: { user: "root", port: machine.sshPort },
    agents: { lima, one: own, two: own },
  };
  const config = [
    `  agent-fleet:hosts: ${JSON.stringify({ office })}`,
    "  agent-fleet:defaults: { healthTimeoutSeconds: 90 }",
    "  agent-fleet:purgeData: true",
  ];
  clone.write(
    `Pulumi.${STACK}.yaml`,
    secrets.replace("config:\n", `config:\n${config.join("\n")}\n`),
  );
}

const processIds = () =>
  machine.run(
    "systemctl show -P MainPID limahost@lima; systemctl show -P MainPID writer@one writer@two",
  );

test("agents without a port are available when they stay up or have made their file; no firewall is made", async () => {
  stackFile(1000);
  const { stdout } = await clone.ok(["up", "-s", STACK]);
  for (const name of ["lima", "one", "two"])
    expect(stdout).toMatch(new RegExp(`^${name} +office +available +ready after`, "m"));
  expect(await machine.run("nft list tables")).toBe("");
  const { stdout: status } = await clone.ok(["status", "-s", STACK, "--json"]);
  expect(JSON.parse(status)).toMatchObject(
    ["lima", "one", "two"].map((agent) => ({ agent, state: "available", url: "" })),
  );
});

test("the stand-in for limahost runs as root by its config file, and its heartbeats arrive", async () => {
  const shown = "stat -c '%a %U:%G' /etc/limahost/agent.json; ps -o user= -p";
  const user = await machine.run(`${shown} $(systemctl show -P MainPID limahost@lima)`);
  expect(user).toBe("600 root:root\nroot");
  await until("a heartbeat", 30, () => beats.length > 0);
  expect(new Set(beats)).toEqual(new Set([`Bearer ${KEY}`]));
});

test("its log file is rotated by the rules that came with it", async () => {
  const rules = "/etc/logrotate.d/limahost-lima";
  await machine.run(`logrotate --state /run/logrotate-test --force ${rules}`);
  expect(await machine.run("cd /var/log/limahost/lima && ls agent.log*")).toMatch(
    /^agent\.log\nagent\.log\.1/,
  );
});

test("an agent with a user of its own sees its config file, and not those of its neighbours", async () => {
  expect(await machine.run("cat /var/lib/writer/one/ready /var/lib/writer/two/ready")).toBe(
    'one.toml\nname = "one"\ntwo.toml\nname = "two"',
  );
  expect(await machine.run("stat -c '%a %U' /etc/writer/one.toml")).toBe("600 writer");
});

test("another value changes the config file and restarts its agent alone", async () => {
  const [lima, ...others] = (await processIds()).split("\n");
  stackFile(2000);
  await clone.ok(["up", "-s", STACK]);
  expect(await machine.run("cat /etc/limahost/agent.json")).toContain('"heartbeatInterval": 2000');
  const [limaNow, ...othersNow] = (await processIds()).split("\n");
  expect(limaNow).not.toBe(lima);
  expect(othersNow).toEqual(others);
});

test("a release that does not stay up is taken back, and with it the config file", async () => {
  const good = clone.file(ENTRY);
  clone.write(ENTRY, `setTimeout(() => process.exit(7), 3000);\n${good}`);
  stackFile(3000);
  const { code, output } = await clone.fleet(["up", "-s", STACK]);
  expect(code).not.toBe(0);
  expect(output).toMatch(/lima: not available[^]*layer unit[^]*is back and available/);
  expect(await machine.run("cat /etc/limahost/agent.json")).toContain('"heartbeatInterval": 2000');
  clone.write(ENTRY, good);
});

test("a config file edited by hand is shown by diff", async () => {
  await machine.run("echo '# mine' >>/etc/writer/one.toml");
  const { code, stdout } = await clone.fleet(["diff", "-s", STACK]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/one +office +file \/etc\/writer\/one\.toml/);
});

test("destroy leaves nothing of them, neither config, rules, logs nor users", async () => {
  await clone.ok(["destroy", "-s", STACK, "--yes"]);
  expect(await machine.run("ls -d /var/log/limahost /etc/limahost 2>/dev/null || :")).toBe("");
  expect(await machine.snapshot()).toBe(before);
});
