import { join } from "node:path";
import { configContent, placedFiles } from "../../components/agent/placed-files";
import { agentUnit, loadProfile } from "../../stacks/assets";

const ROOT = join(__dirname, "../..");
const limahost = loadProfile(ROOT, "limahost");
const VALUES = {
  LIMA_CONTROL_PLANE_URL: "https://control.example.com",
  LIMA_CONTROL_PLANE_API_KEY: "canary",
  LIMA_AGENT_NAME: "lima-1",
  LIMA_HEARTBEAT_INTERVAL: "30000",
};

test("limahost has its config as JSON, root's alone, and its log rotated", () => {
  const [config, rules, ...others] = placedFiles(limahost, "lima-1", VALUES);
  expect(others).toEqual([]);
  expect(config).toMatchObject({ path: "/etc/limahost/agent.json", mode: "600", owner: "root" });
  expect(JSON.parse(config?.content ?? "")).toEqual({
    controlPlaneUrl: "https://control.example.com",
    controlPlaneApiKey: "canary",
    agentName: "lima-1",
    heartbeatInterval: 30_000,
  });
  expect(rules).toEqual({
    path: "/etc/logrotate.d/limahost-lima-1",
    mode: "644",
    owner: "root",
    content:
      "/var/log/limahost/lima-1/*.log {\n    weekly\n    rotate 4\n    compress\n    missingok\n    notifempty\n    copytruncate\n}\n",
  });
});

test("proxmox-agent has its config as TOML, without the token of its registration, and with it for that alone", () => {
  const proxmox = loadProfile(ROOT, "proxmox-agent");
  const values = {
    PROXMOX_AGENT_COORDINATOR_URL: "https://coordinator.example.com:9443",
    PROXMOX_AGENT_CERTS_DIR: "/var/lib/proxmox-agent/runner-1/certs",
    PROXMOX_AGENT_API_TOKEN_SECRET: "canary",
    PROXMOX_AGENT_TEMPLATE: "9000",
  };
  const text = [
    "[coordinator]",
    'url = "https://coordinator.example.com:9443"',
    "",
    "[tls]",
    'certs_dir = "/var/lib/proxmox-agent/runner-1/certs"',
    "",
    "[agent]",
    'labels = [ "self-hosted", "linux", "x64", "proxmox" ]',
    "",
    "[proxmox]",
    'token_secret = "canary"',
    "",
    "[vm]",
    "template_vmid = 9000",
    "linked_clone = true",
    "",
    "[ssh]",
    "",
  ].join("\n");
  expect(placedFiles(proxmox, "runner-1", values)).toEqual([
    {
      path: "/etc/proxmox-agent/config.toml",
      mode: "600",
      owner: "proxmox-agent",
      content: text,
    },
  ]);
  const file = proxmox.files["config.toml"];
  if (file === undefined) throw new Error("it has no config.toml");
  const given = { ...values, PROXMOX_AGENT_REGISTRATION_TOKEN: "once" };
  expect(configContent(proxmox, file, given)).toBe(
    text.replace("\n\n[tls]", '\nregistration_token = "once"\n\n[tls]'),
  );
});

test("an agent with a user of its own owns its files, and its logs are rotated as that user", () => {
  const files = { "{name}.toml": { format: "toml", mode: "640", content: { a: 1 } } } as const;
  const own = { ...limahost, user: undefined, files };
  const [config, rules] = placedFiles(own, "lima-1", VALUES);
  expect(config).toMatchObject({
    path: "/etc/limahost/lima-1.toml",
    mode: "640",
    owner: "limahost",
  });
  expect(rules?.content.split("\n")[1]).toBe("    su limahost limahost");
});

test("a profile without files has none, as before", () => {
  expect(placedFiles(loadProfile(ROOT, "tseeder"), "a", {})).toEqual([]);
});

test("the unit lets the agent's config files be seen, and nothing else of the folder of env files", () => {
  const lines = (unit: string) =>
    unit
      .split("\n")
      .filter((line) => /^(InaccessiblePaths|TemporaryFileSystem|Bind\w+|Logs\w+)=/.test(line));
  const files = { "{name}.json": { format: "json", mode: "600", content: {} } } as const;
  expect(lines(agentUnit(ROOT, { ...limahost, user: undefined, files })).sort()).toEqual([
    "BindReadOnlyPaths=/etc/limahost/%i.json",
    "LogsDirectory=limahost/%i",
    "LogsDirectoryMode=0750",
    "TemporaryFileSystem=/etc/limahost:ro",
  ]);
  expect(lines(agentUnit(ROOT, limahost)).sort()).toEqual([
    "LogsDirectory=limahost/%i",
    "LogsDirectoryMode=0750",
  ]);
});

test("the unit of limahost waits for Docker where there is one, and is started again for ever", () => {
  const unit = agentUnit(ROOT, limahost).split("\n");
  for (const line of ["After=network.target docker.service", "Restart=always", "RestartSec=10s"])
    expect(unit).toContain(line);
  expect(unit.filter((line) => /^(After|Restart|RestartSec)=/.test(line))).toHaveLength(3);
});

test("the unit of proxmox-agent waits for the network, and its folder of certificates is its own alone", () => {
  const unit = agentUnit(ROOT, loadProfile(ROOT, "proxmox-agent")).split("\n");
  const named =
    /^(After|Wants|Restart|RestartSec|StateDirectory|StateDirectoryMode|UMask|User|ExecStart)=/;
  expect(unit.filter((line) => named.test(line)).sort()).toEqual([
    "After=network-online.target",
    "ExecStart=/opt/proxmox-agent/agents/%i/runtime/bin/proxmox-agent",
    "Restart=always",
    "RestartSec=5",
    "StateDirectory=proxmox-agent/%i proxmox-agent/%i/certs",
    "StateDirectoryMode=0700",
    "UMask=0077",
    "User=proxmox-agent",
    "Wants=network-online.target",
  ]);
});
