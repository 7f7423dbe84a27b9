import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExtraUnit } from "../../components/agent/extra-units";
import type { Profile } from "../../components/agent/profile";
import { renderDropIn, renderUnit } from "../../components/agent/unit";
import { agentUnit, extraUnit, loadProfile } from "../../stacks/assets";

const ROOT = join(__dirname, "../..");
const PATTERN = readFileSync(join(ROOT, "assets/systemd/tseeder-agent@.service"), "utf8");
const tseeder = loadProfile(ROOT, "tseeder");
const opencode = loadProfile(ROOT, "opencode");
const lines = (text: string, name: string) =>
  text.split("\n").filter((line) => line.startsWith(`${name}=`));

test("the unit of tseeder is the pattern itself, so that no agent restarts by another rendering", () => {
  expect(agentUnit(ROOT, tseeder)).toBe(PATTERN);
});

test("the drop-in of an agent on another runtime than the profile's first is as it was", () => {
  const agent = "/opt/tseeder-agent/agents/%i";
  expect(renderDropIn(tseeder, "bun", {})).toBe("");
  expect(renderDropIn(tseeder, "node", { memory: "2G" })).toBe(
    `[Service]\nExecStart=\nExecStart=${agent}/runtime/bin/node --import tsx ${agent}/current/src/index.ts\nMemoryMax=2G\n`,
  );
  const nodeFirst: Profile = { ...tseeder, runtimes: ["node", "bun"] };
  expect(renderDropIn(nodeFirst, "node", {})).toBe("");
  expect(lines(renderUnit(PATTERN, nodeFirst), "ExecStart")).toEqual([
    `ExecStart=${agent}/runtime/bin/node --import tsx ${agent}/current/src/index.ts`,
  ]);
});

test("another service has nothing of the first one in its unit, and all of its protections", () => {
  const unit = agentUnit(ROOT, opencode);
  expect(unit).not.toContain("tseeder");
  expect(lines(unit, "ExecStart")).toEqual([
    "ExecStart=/opt/opencode/agents/%i/runtime/bin/opencode serve --hostname ${OPENCODE_HOST} --port ${PORT}",
  ]);
  expect(lines(unit, "User")).toEqual(["User=opencode"]);
  const differs =
    /^(Description|User|Group|EnvironmentFile|WorkingDirectory|ExecStart|SyslogIdentifier|StateDirectory|ReadWritePaths|InaccessiblePaths|NoExecPaths)=/;
  const rest = (text: string) =>
    text.split("\n").filter((line) => /^[A-Z]\w*=/.test(line) && !differs.test(line));
  expect(rest(unit)).toEqual(rest(PATTERN));
});

test("the unit of an agent that runs as root has no walls, and starts the same program in the same folders", () => {
  const unit = agentUnit(ROOT, { ...opencode, user: "root", unit: undefined });
  expect(unit).not.toContain("root-agent");
  expect(lines(unit, "User")).toEqual(["User=root"]);
  for (const name of ["ExecStart", "EnvironmentFile", "WorkingDirectory", "StateDirectory"])
    expect(lines(unit, name)).toEqual(
      lines(agentUnit(ROOT, { ...opencode, unit: undefined }), name),
    );
  expect(unit).not.toMatch(
    /^(Protect|Private|Restrict|NoNew|Capability|SystemCall|IPAddress|NoExec)/m,
  );
});

test("a directive takes the place of all lines of its name, [] takes it away, a new one ends its section", () => {
  const unit = {
    Unit: { Wants: "network-online.target" },
    Service: { IPAddressDeny: ["10.0.0.1", "10.0.0.2"], NoExecPaths: [], Nice: "5" },
  };
  const text = renderUnit(PATTERN, { ...tseeder, unit });
  expect(lines(text, "IPAddressDeny")).toEqual([
    "IPAddressDeny=10.0.0.1",
    "IPAddressDeny=10.0.0.2",
  ]);
  expect(lines(text, "NoExecPaths")).toEqual([]);
  const section = (name: string) =>
    text.split(`[${name}]\n`)[1]?.split("\n[")[0]?.trim().split("\n");
  expect(section("Unit")?.at(-1)).toBe("Wants=network-online.target");
  expect(section("Service")?.at(-1)).toBe("Nice=5");
});

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

describe("the PATH of agents", () => {
  const environment = (more: Partial<Profile>) =>
    lines(agentUnit(ROOT, { ...opencode, unit: undefined, ...more }), "Environment");

  test("begins with the folders of the units and tools that their profile brings, and is the system's where it brings none", () => {
    const techulus = loadProfile(ROOT, "techulus");
    const folders = ["units/buildkitd", "units/caddy", "tools/railpack"].map(
      (name) => `/opt/techulus-agent/${name}/program/bin`,
    );
    expect(lines(agentUnit(ROOT, techulus), "Environment")).toEqual([
      `Environment=PATH=${[...folders, SYSTEM_PATH].join(":")}`,
    ]);
    expect(environment({})).toEqual([]);
  });

  test("stands before what their profile says of the environment, which is heard last", () => {
    const brought = `Environment=PATH=/opt/opencode/tools/rg/program/bin:${SYSTEM_PATH}`;
    const saying = (value: string | string[]) =>
      environment({ tools: { rg: {} }, unit: { Service: { Environment: value } } });
    expect(saying("LANG=C")).toEqual([brought, "Environment=LANG=C"]);
    expect(saying(["LANG=C", "PATH=/bin"])).toEqual([
      brought,
      "Environment=LANG=C",
      "Environment=PATH=/bin",
    ]);
  });
});

describe("a unit that a profile brings", () => {
  const techulus = loadProfile(ROOT, "techulus");

  test("is one that the agents are started after, beside what their profile says", () => {
    const unit = agentUnit(ROOT, techulus);
    expect(lines(unit, "After")).toEqual([
      "After=network.target caddy.service",
      "After=buildkitd.service",
      "After=caddy.service",
    ]);
    expect(lines(unit, "Wants")).toEqual(["Wants=buildkitd.service", "Wants=caddy.service"]);
    expect(unit.indexOf("Wants=")).toBeLessThan(unit.indexOf("[Service]"));
  });

  test("runs its program as root, and always comes back", () => {
    const { buildkitd } = techulus.units;
    if (buildkitd === undefined) throw new Error("techulus brings no buildkitd");
    const unit = extraUnit(ROOT, "techulus-agent", "buildkitd", buildkitd);
    const folder = "/opt/techulus-agent/units/buildkitd/program/bin";
    expect(unit).not.toMatch(/root-agent|extra-unit/);
    for (const line of [
      "Description=BuildKit daemon",
      "User=root",
      `Environment=PATH=${folder}:${SYSTEM_PATH}`,
      `ExecStart=${folder}/buildkitd --root=/var/lib/techulus-agent/.buildkitd`,
      "Restart=always",
      "RestartSec=5",
      "RuntimeDirectory=buildkit",
    ])
      expect(unit.split("\n")).toContain(line);
  });

  test("of a user is run by the user's manager, which the agents are not ordered after", () => {
    const helper: ExtraUnit = {
      ...{ description: "Helper", scope: "user", optional: false },
      program: { binary: "helper", arguments: ["--quiet"] },
    };
    const unit = extraUnit(ROOT, "writer", "helper", helper).split("\n");
    expect(unit.join("\n")).not.toMatch(/tseeder-agent|extra-unit|User=root/);
    const folder = "/opt/writer/units/helper/program/bin";
    for (const line of [
      "ConditionUser=writer",
      `ExecStart=${folder}/helper --quiet`,
      "WorkingDirectory=/var/lib/writer/.helper",
      "WantedBy=default.target",
    ])
      expect(unit).toContain(line);
    const agents = agentUnit(ROOT, { ...tseeder, units: { helper } }).split("\n");
    expect(agents.filter((line) => !PATTERN.split("\n").includes(line))).toEqual([
      `Environment=PATH=/opt/tseeder-agent/units/helper/program/bin:${SYSTEM_PATH}`,
    ]);
  });

  test("may have its config in itself, as Caddy of a proxy node has", () => {
    const { caddy } = techulus.units;
    if (caddy === undefined) throw new Error("techulus brings no caddy");
    const unit = extraUnit(ROOT, "techulus-agent", "caddy", caddy);
    expect(lines(unit, "StandardInput")).toEqual(["StandardInput=data"]);
    const [config = ""] = lines(unit, "StandardInputText");
    expect(JSON.parse(config.replace("StandardInputText=", ""))).toEqual({
      apps: { http: { servers: { srv0: { listen: [":443"], routes: [] } } } },
    });
  });
});
