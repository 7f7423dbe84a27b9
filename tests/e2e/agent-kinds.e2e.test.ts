/**
 * Agents that have no port, on a machine that existed before: the stand-ins for limahost and techulus as root, that for
 * proxmox-agent, and one that is ready when its file is there. Their config files, their logs, registrations, units and a
 * tool that techulus brings, and what is left after them. One story.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";
import { Clone } from "./support/clone";
import { ExistingMachine } from "./support/existing-machine";
import { dropPackages, StandInPrograms } from "./support/stand-in-programs";
import { statusOf } from "./support/status";
import { argumentsDuring, filesHolding, wholeJournal } from "./support/traces";
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
  units: { helper: { description: "Helper", scope: "user", program: { binary: "helper" } } },
  files: { "{name}.toml": { format: "toml", content: { name: "${WRITER_NAME}" } } },
  uninstall: ["/var/cache/writer-{name}", "/srv/writer"],
  env: {
    WRITER_NAME: { description: "Its name", default: "{name}" },
    WRITER_CONFIG: { description: "Its config", default: "/etc/writer/{name}.toml" },
    WRITER_STATE: { description: "Its state", default: "{state}" },
  },
};

const TOKEN = `canary-one-time-${randomBytes(16).toString("hex")}`;
const TOKENS = {
  worker: { TECHULUS_TOKEN: `${TOKEN}-worker` },
  runner: {
    PROXMOX_AGENT_REGISTRATION_TOKEN: `${TOKEN}-runner`,
    PROXMOX_AGENT_API_TOKEN_SECRET: `canary-api-${randomBytes(16).toString("hex")}`,
  },
};

const programs = new StandInPrograms();
const clone = new Clone();
const machine = new ExistingMachine(clone.path("existing"));
const beats: (string | undefined)[] = [];
const controlPlane = createServer((request, response) => {
  beats.push(request.headers.authorization);
  response.end();
});
let before: string;
let secrets: string;
/** As they were before agents had tokens. */
let withoutTokens: string;

beforeAll(async () => {
  await new Promise<void>((done) => controlPlane.listen(0, "127.0.0.1", done));
  await programs.listen();
  await machine.boot();
  clone.write("writer/main.js", WRITER);
  clone.write("writer.yaml", stringify(PROFILE));
  await clone.ok(["stack", "init", STACK]);
  await clone.setSecret("agent-fleet:secrets.LIMA_CONTROL_PLANE_API_KEY", KEY, STACK);
  await clone.setSecret("agent-fleet:sshPrivateKey", machine.privateKey("root"), STACK);
  secrets = clone.file(`Pulumi.${STACK}.yaml`);
  // Set-up would install them, and leave them.
  await machine.run(
    "apt-get -q update && apt-get -q -y install logrotate libpam-systemd >/dev/null",
  );
  before = await machine.snapshot();
});

afterAll(async () => {
  controlPlane.close();
  programs.close();
  try {
    await machine.destroy();
  } finally {
    clone.remove();
  }
});

/** @param others - agents of the host beside those that are always there */
function stackFile(interval: number, others: object = {}): void {
  // As the VM reaches this machine.
  const { port } = controlPlane.address() as AddressInfo;
  const url = `http://10.0.2.2:${String(port)}`;
  const lima = {
    ...{ profile: "limahost", source: "examples/limahost-stand-in" },
    env: { LIMA_CONTROL_PLANE_URL: url, LIMA_HEARTBEAT_INTERVAL: interval },
  };
  const own = { profile: "./writer.yaml", units: { helper: programs.program("helper") } };
  const office = {
    ...{ provider: "ssh", address: "127.0.0.1", hostKey: machine.hostKey },
    ssh: { user: "root", port: machine.sshPort },
    agents: { lima, one: own, two: own, ...others },
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

/** The stack file as `stackFile` begins with it. */
function withoutHosts(text: string): string {
  return text.replace(/^ {2}agent-fleet:(hosts|defaults|purgeData):.*\n(?: {4,}.*\n)*/gm, "");
}

const shell = (command: string, input?: string) => machine.run(command, input);

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
  expect(await statusOf(clone, STACK)).toMatchObject(
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

test("a unit of an agent's own user is run by the manager of this user, which lingers, and comes back with it", async () => {
  const ofWriter = "systemctl --user --machine=writer@.host";
  const pid = () => machine.run(`${ofWriter} show -P MainPID helper`);
  const first = await pid();
  expect(await machine.run(`ps -o user= -p ${first}; cat /var/lib/writer/.helper/who`)).toBe(
    "writer\nwriter /var/lib/writer/.helper",
  );
  expect(await machine.run("ls /var/lib/systemd/linger")).toBe("writer");
  // As a boot does: nobody names the unit.
  await machine.run("systemctl restart user@$(id -u writer)");
  await until("another process of the helper", 30, async () => !["0", first].includes(await pid()));
  expect(await machine.run("sh /opt/writer/bin/verify | grep -v '\"drift\":\\[]' || :")).toBe("");
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

/**
 * Agents that register, as a stack has them.
 * @param at - host of their control planes
 * @param railpack - version of the tool
 */
function registering(at: string, railpack = "1.0.0"): object {
  return {
    worker: {
      profile: "techulus",
      env: { TECHULUS_URL: `https://${at}`, TECHULUS_PROXY: true },
      program: programs.program("techulus-agent"),
      units: { buildkitd: programs.program("buildkitd"), caddy: programs.program("caddy") },
      tools: { railpack: programs.program("railpack", railpack) },
    },
    runner: {
      profile: "proxmox-agent",
      env: {
        PROXMOX_AGENT_COORDINATOR_URL: `https://${at}`,
        PROXMOX_AGENT_COORDINATOR_HOSTNAME: at,
        PROXMOX_AGENT_CA_CERT: "/etc/ssl/certs/ca-certificates.crt",
        PROXMOX_AGENT_API_TOKEN_ID: "runner@pve!agent",
        PROXMOX_AGENT_SSH_KEY: "/etc/ssh/ssh_host_ed25519_key.pub",
      },
      program: programs.program("proxmox-agent"),
    },
  };
}
const WORKER_STATE = "/var/lib/techulus-agent/worker";
const CERTS = "/var/lib/proxmox-agent/runner/certs";
const property = (name: string, unit: string) => machine.run(`systemctl show -P ${name} ${unit}`);
const lastLine = (unit: string) => machine.run(`journalctl -q -o cat -u ${unit} | tail -n 1`);

test("agents are registered by tokens that are in no argument meanwhile, and in no file or journal afterwards", async () => {
  dropPackages(clone, "techulus");
  withoutTokens = secrets;
  for (const [agent, values] of Object.entries(TOKENS))
    for (const [name, value] of Object.entries(values))
      await clone.setSecret(`agent-fleet:agentSecrets.${agent}.${name}`, value, STACK);
  secrets = withoutHosts(clone.file(`Pulumi.${STACK}.yaml`));
  stackFile(2000, registering("one.example.com"));
  const others = await processIds();
  const seen = await argumentsDuring(shell, async () => {
    const { stdout } = await clone.ok(["up", "-s", STACK]);
    for (const name of ["worker", "runner"])
      expect(stdout).toMatch(new RegExp(`^${name} +office +available`, "m"));
  });
  expect(seen).toContain("/opt/techulus-agent/bin/activate worker");
  expect(seen).toContain(`--data-dir=${WORKER_STATE}`);
  expect(seen).not.toContain(TOKEN);
  expect(await filesHolding(shell, [TOKEN])).toEqual([]);
  expect(await wholeJournal(shell)).not.toContain(TOKEN);
  expect(await processIds()).toBe(others);
});

test("the stand-in for proxmox-agent had its token once, and what it got is its own alone", async () => {
  const token = createHash("sha256").update(TOKENS.runner.PROXMOX_AGENT_REGISTRATION_TOKEN);
  expect(await machine.run(`cat ${CERTS}/registrations ${CERTS}/client.crt`)).toBe(
    `once\n${token.digest("hex")}`,
  );
  expect(await machine.run(`stat -c '%a %U' ${CERTS} ${CERTS}/client.key`)).toBe(
    "700 proxmox-agent\n600 proxmox-agent",
  );
  expect(await machine.run("stat -c '%a %U' /etc/proxmox-agent/config.toml")).toBe(
    "600 proxmox-agent",
  );
});

test("the stand-ins for buildkitd and, on a proxy node, Caddy were started before techulus, which is ordered after them and wants them", async () => {
  const started = async (unit: string) =>
    Number(await property("ExecMainStartTimestampMonotonic", unit));
  const worker = await started("techulus-agent@worker");
  for (const unit of ["buildkitd", "caddy"]) {
    for (const name of ["After", "Wants"])
      expect((await property(name, "techulus-agent@worker")).split(" ")).toContain(
        `${unit}.service`,
      );
    expect(await started(unit)).toBeGreaterThan(0);
    expect(await started(unit)).toBeLessThan(worker);
    expect(await property("UnitFileState", unit)).toBe("enabled");
  }
  expect(await machine.run("ls /run/buildkit /var/lib/techulus-agent/.buildkitd")).toContain(
    "buildkitd.lock",
  );
  expect(
    JSON.parse(await machine.run("cat /var/lib/techulus-agent/.caddy/caddy/autosave.json")),
  ).toHaveProperty("apps.http.servers.srv0.listen", [":443"]);
  expect(await machine.run("sh /opt/techulus-agent/bin/verify")).toBe(
    '{"agent":"worker","drift":[]}',
  );
});

test("techulus finds the stand-in for railpack on its PATH, and hands it no token; the next version restarts nothing", async () => {
  const worker = await property("MainPID", "techulus-agent@worker");
  const environment = await machine.run(`tr '\\0' '\\n' </proc/${worker}/environ`);
  expect(environment).not.toContain(TOKEN);
  const path = /^PATH=(.*)$/m.exec(environment)?.[1] ?? "";
  const found = () =>
    machine.run(`env PATH=${path} sh -c 'railpack && readlink -f "$(command -v railpack)"'`);
  const program = (version: string) =>
    new RegExp(
      `^railpack stand-in\n/opt/techulus-agent/runtimes/railpack-${version}-[0-9a-f]{8}/bin/railpack$`,
    );
  expect(await found()).toMatch(program("1.0.0"));
  stackFile(2000, registering("one.example.com", "1.0.1"));
  await clone.ok(["up", "-s", STACK]);
  expect(await found()).toMatch(program("1.0.1"));
  expect(await property("MainPID", "techulus-agent@worker")).toBe(worker);
});

test("buildkitd keeps its process while techulus is restarted, and comes back by itself without a restart of techulus", async () => {
  const [buildkitd, worker] = [
    await property("MainPID", "buildkitd"),
    await property("MainPID", "techulus-agent@worker"),
  ];
  await clone.ok(["restart", "worker", "-s", STACK]);
  const restarted = await property("MainPID", "techulus-agent@worker");
  expect(restarted).not.toBe(worker);
  expect(await property("MainPID", "buildkitd")).toBe(buildkitd);
  await machine.run("systemctl kill --signal=KILL buildkitd");
  await until("another process of buildkitd", 30, async () => {
    const now = await property("MainPID", "buildkitd");
    return now !== "0" && now !== buildkitd;
  });
  expect(await property("MainPID", "techulus-agent@worker")).toBe(restarted);
});

test("their update registers them no second time, and leaves containers and buildkitd running and certificates as they are", async () => {
  const kept = `stat -c '%i %a %U %Y %Z' ${CERTS}/*; sha256sum ${CERTS}/*; cat ${WORKER_STATE}/config.json ${WORKER_STATE}/registrations`;
  const [container, was] = [await machine.run(`cat ${WORKER_STATE}/container`), await shell(kept)];
  const buildkitd = await property("MainPID", "buildkitd");
  stackFile(2000, registering("two.example.com", "1.0.1"));
  await clone.ok(["up", "-s", STACK]);
  expect(await lastLine("techulus-agent@worker")).toBe("Agent started: https://two.example.com");
  expect(await lastLine("proxmox-agent@runner")).toBe(
    "INFO connected to https://two.example.com (RUST_LOG=info)",
  );
  expect(await shell(kept)).toBe(was);
  expect(await property("MainPID", "buildkitd")).toBe(buildkitd);
  expect(await machine.run(`ps -o comm= -p ${container}`)).toBe("sleep");
  await machine.run(`kill ${container}`);
});

test("taken out of the stack they go without a trace, and the others run on", async () => {
  const others = await processIds();
  secrets = withoutTokens;
  stackFile(2000);
  await clone.ok(["up", "-s", STACK]);
  const traces = ["techulus", "buildkit", "caddy", "proxmox-agent"].map(
    (name) =>
      `/*/*${name}* /var/*/*${name}* /etc/systemd/system/*${name}* /etc/systemd/system/*/*${name}*`,
  );
  expect(await property("LoadState", "buildkitd")).toBe("not-found");
  expect(await machine.run(`ls -d ${traces.join(" ")} 2>/dev/null || :`)).toBe("");
  expect(await processIds()).toBe(others);
});

test("a config file edited by hand is shown by diff", async () => {
  await machine.run("echo '# mine' >>/etc/writer/one.toml");
  const { code, stdout } = await clone.fleet(["diff", "-s", STACK]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/one +office +file \/etc\/writer\/one\.toml/);
});

test("destroy leaves nothing of them, neither config, rules, logs, users nor what they made elsewhere", async () => {
  const elsewhere = "/var/cache/writer-one /var/cache/writer-two /srv/writer";
  await machine.run(`mkdir ${elsewhere} && touch /srv/writer/made`);
  await clone.ok(["destroy", "-s", STACK, "--yes"]);
  expect(
    await machine.run(
      `ls -d /var/log/limahost /etc/limahost /var/lib/systemd/linger/* ${elsewhere} 2>/dev/null || :`,
    ),
  ).toBe("");
  expect(await machine.snapshot()).toBe(before);
});
