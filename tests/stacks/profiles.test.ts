/** Profiles: those that come along, and an operator's own file. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv";
import { parse, stringify } from "yaml";
import { renderProfileConf } from "../../components/agent/profile-conf";
import { loadProfile, profileNames } from "../../stacks/assets";
import { checkStack } from "../../stacks/check";
import type { AgentSettings } from "../../stacks/fleet-settings";
import { profileFileSchema } from "../../stacks/json-schema";
import { formatProblems } from "../../stacks/problems";
import { codeBlocks } from "../e2e/support/guide";

const ROOT = join(__dirname, "../..");
const OWN = {
  name: "mine",
  description: "My agent",
  service: "my-agent",
  port: 9000,
  source: "./code",
  runtimes: ["node"],
  entry: "main.js",
  health: { path: "/ready", field: "ok", ready: ["true"] },
  env: { MY_KEY: { description: "Key of mine", required: true, secret: true } },
};

/** What makes an agent of it that listens nowhere. */
const QUIET = { port: undefined, health: { staysUpSeconds: 15 } };

const TOKEN_FILE = { "a.toml": { format: "toml", content: { token: "${MY_KEY}" } } };

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "profiles-"));
  mkdirSync(join(base, "code"));
  writeFileSync(join(base, "code/main.js"), "");
});
afterEach(() => {
  rmSync(base, { recursive: true });
});

function own(profile: object): string {
  const file = join(base, "agent.yaml");
  writeFileSync(file, stringify(profile));
  return file;
}

function check(agents: object, more: object = {}): AgentSettings[] | string {
  const values = {
    hosts: { "vm-1": { provider: "local", agents } },
    secrets: { WORKER_CLUSTER_TOKEN: "t", CALLBACK_SIGNING_SECRET: "c" },
    defaults: { source: "examples/compute-agent", env: { R2_BUCKET: "b" } },
    ...more,
  };
  const result = checkStack({ stack: "test", values, root: ROOT, localArch: "amd64" });
  return "problems" in result
    ? formatProblems("test", result.problems)
    : result.settings.hosts.flatMap((host) => host.agents);
}

const validate = new Ajv({ strict: false }).compile(profileFileSchema());

test.each(profileNames(ROOT))("%s fits the schema that editors read, and names it", (name) => {
  const text = readFileSync(join(ROOT, `assets/profiles/${name}.yaml`), "utf8");
  expect(validate(parse(text))).toBe(true);
  expect(text).toMatch(
    /^# yaml-language-server: \$schema=\.\.\/\.\.\/stacks\/profile\.schema\.json\n/,
  );
  expect(loadProfile(ROOT, name).name).toBe(name);
});

test("an own file is a profile by its path, and its source starts at the file", () => {
  const agents = check(
    { mine: { profile: own(OWN) } },
    { secrets: { MY_KEY: "canary" }, defaults: { source: "examples/compute-agent" } },
  );
  expect(agents).toMatchObject([
    {
      port: 9000,
      runtime: "node",
      source: { kind: "folder", path: join(base, "code") },
      sourcePath: "profile mine: source",
      profile: { service: "my-agent" },
    },
  ]);
});

test("everything that is wrong with a file is told at once, with keys, values and what is near", () => {
  const file = own({
    ...OWN,
    port: 80,
    entry: undefined,
    service: "agent-fleet",
    health: { pth: "/ready", field: "ok", ready: ["true"], user: "me" },
    unit: { Service: { "Exec Start": "x" } },
  });
  expect(check({ a: { profile: file } })).toBe(
    [
      "configuration of stack test:",
      `  hosts.vm-1.agents.a.profile: got "${file}", which has faults; correct them:`,
      '    service: got "agent-fleet", expected small letters, digits and dashes, at most 31, not beginning with agent-fleet',
      "    port: got 80, expected a port between 1024 and 65535",
      '    health.pth: unknown key; did you mean "path"? Correct or remove it',
      "    health.path: got nothing, expected a path such as /health; add it",
      "    health.tokenVariable: got nothing, expected the variable that holds the password of health.user; add it",
      '    unit.Service.Exec Start: got the name "Exec Start", expected a directive such as LimitNOFILE',
    ].join("\n"),
  );
  writeFileSync(file, "name: [");
  expect(check({ a: { profile: file } })).toContain(`got "${file}", which is not YAML: `);
});

test.each<[string, object, string]>([
  [
    "neither runtime nor program",
    { runtimes: undefined },
    "runtimes: got nothing, expected runtimes, like [bun], or a program; add one of them",
  ],
  [
    "a runtime and nothing to start",
    { entry: undefined },
    "entry: got nothing, expected the file that the runtime starts, like src/index.ts; add it",
  ],
  [
    "a program of a version without files",
    { runtimes: undefined, entry: undefined, program: { binary: "x", version: "1.0.0" } },
    'program.version: got "1.0.0", expected packages or downloads of that version; add them',
  ],
  [
    "a token that is no secret",
    { registration: { variable: "OTHER", argument: "--token", done: "{state}/id" } },
    'registration.variable: got "OTHER", expected a variable of env with secret: true; add it there',
  ],
  [
    "a token that the agent takes in no way",
    { registration: { variable: "MY_KEY", done: "{state}/id" } },
    "registration.argument: got nothing, expected one of argument, stdin: true and file, as the agent takes its token",
  ],
  [
    "a token that the agent takes in two ways",
    { registration: { variable: "MY_KEY", stdin: true, file: "a.toml", done: "{state}/id" } },
    "registration.argument: got nothing, expected one of argument, stdin: true and file, as the agent takes its token",
  ],
  [
    "a token in a file that is not there",
    { registration: { variable: "MY_KEY", file: "b.toml", done: "{state}/id" }, files: TOKEN_FILE },
    'registration.file: got "b.toml", expected one of files: a.toml; correct it',
  ],
  [
    "a token in a file that does not name it",
    {
      registration: { variable: "MY_KEY", file: "a.toml", done: "{state}/id" },
      files: { "a.toml": { format: "toml", content: {} } },
    },
    "files.a.toml.content: got nothing, expected a text that is ${MY_KEY} alone, which is left out once the agent is registered",
  ],
  [
    "a token that is a part of a text",
    {
      registration: { variable: "MY_KEY", file: "a.toml", done: "{state}/id" },
      files: { "a.toml": { format: "toml", content: { key: "Bearer ${MY_KEY}" } } },
    },
    'files.a.toml.content: got "${MY_KEY}", expected a text that is ${MY_KEY} alone',
  ],
  [
    "a token in a file that stays",
    {
      registration: { variable: "MY_KEY", argument: "--token", done: "{state}/id" },
      files: TOKEN_FILE,
    },
    'files.a.toml.content: got "${MY_KEY}", expected no token of the registration, as the file is there after it; remove it, or add registration.file: a.toml',
  ],
  [
    "a user without a password",
    { health: { ...OWN.health, user: "me" } },
    "health.tokenVariable: got nothing, expected the variable that holds the password of health.user; add it",
  ],
  [
    "a header that names no variable of env",
    { health: { ...OWN.health, headers: { "X-Key": "${THEIR_KEY}" } } },
    'health.headers.X-Key: got "${THEIR_KEY}", expected one of the variables of env: ',
  ],
  [
    "a header that the request has",
    { health: { ...OWN.health, headers: { Host: "here" } } },
    'health.headers.Host: got "here", expected none that the request has anyway; remove it',
  ],
  [
    "two who tell who asks",
    { health: { ...OWN.health, tokenVariable: "MY_KEY", headers: { authorization: "me" } } },
    'health.headers.authorization: got "me", expected none beside tokenVariable, which makes it; remove one',
  ],
  [
    "a header of two lines",
    { health: { ...OWN.health, headers: { "X-Key": "a\nb" } } },
    'health.headers.X-Key: got "a\\nb", expected one line',
  ],
  [
    "a config file that names no variable of env",
    { files: { "a.json": { format: "json", content: { key: ["${MY_KEY}", "x ${OTHER}"] } } } },
    'files.a.json.content: got "${OTHER}", expected one of the variables of env: MY_KEY',
  ],
  [
    "a longer text with a variable that may have no value",
    {
      files: { "a.json": { format: "json", content: "x ${MAYBE}" } },
      env: { MAYBE: { description: "Maybe" } },
    },
    'files.a.json.content: got "${MAYBE}", expected a variable that is required or has a default, as this text is more than ${MAYBE}',
  ],
  [
    "a secret in a file that others may read",
    { files: { "a.json": { format: "json", mode: "644", content: "${MY_KEY}" } } },
    'files.a.json.mode: got "644", expected 600, as the file holds the secret MY_KEY; remove the key',
  ],
  [
    "a list as TOML",
    { files: { "a.toml": { format: "toml", content: [1] } } },
    "files.a.toml.content: got [1], expected keys with values for toml; correct it",
  ],
  [
    "a misspelled key of a config file",
    { files: { "a.json": { formt: "json", content: 1 } } },
    'files.a.json.formt: unknown key; did you mean "format"? Correct or remove it',
  ],
  [
    "a config file in the place of an env file",
    { files: { "{name}.env": { format: "text", content: "" } } },
    'files.{name}.env: got the name "{name}.env", expected the name of a file such as agent.json',
  ],
  [
    "a config file elsewhere",
    { files: { "../passwd": { format: "text", content: "" } } },
    'files.../passwd: got the name "../passwd", expected the name of a file such as agent.json',
  ],
  [
    "rules for logrotate that end early",
    { logrotate: "weekly\n}\n/var/log/syslog {" },
    'logrotate: got "weekly\\n}\\n/var/log/syslog {", expected directives, one a line, without braces',
  ],
  [
    "a default that is no number",
    { env: { N: { description: "N", number: true, default: "many" } } },
    'env.N.default: got "many", expected a number in quotes; correct it',
  ],
  [
    "another user",
    { user: "nobody" },
    'user: got "nobody", expected root; leave the key out for a user of its own',
  ],
  [
    "a path alone",
    { health: { path: "/ready" } },
    "health.field: got nothing, expected the name of a field; add it\n    health.ready: got nothing, expected values, like [available]; add it",
  ],
  [
    "a field and no path",
    { health: { field: "ok", ready: ["true"] } },
    "health.path: got nothing, expected a path such as /health; add it",
  ],
  [
    "no way to know that the agent is ready",
    { health: {} },
    "health: got {}, expected path with field and ready, or command, or staysUpSeconds and file; add one of them",
  ],
  [
    "two ways to know it",
    { health: { command: ["true"], staysUpSeconds: 5 } },
    'health: got {"command":["true"],"staysUpSeconds":5}, expected path with field and ready, or command, or staysUpSeconds and file; keep one of them',
  ],
  [
    "a file beside a command",
    { health: { command: ["true"], file: "/run/ready" } },
    'health: got {"command":["true"],"file":"/run/ready"}, expected path',
  ],
  [
    "a request and no port for it",
    { port: undefined },
    "port: got nothing, expected the port at which health.path is asked; add it",
  ],
  [
    "a drain step that nobody answers",
    { ...QUIET, drain: { field: "jobs", idle: "0", capSeconds: 9 } },
    'drain: got {"field":"jobs","idle":"0","capSeconds":9}, expected it with health.path, whose answer it reads; remove it',
  ],
  [
    "a default with the port that it has not",
    { ...QUIET, env: { AT: { description: "Where", default: "x:{port}" } } },
    'env.AT.default: got "x:{port}", expected none with {port}, as the profile has no port; add port',
  ],
])("a profile with %s is refused", (_, change, line) => {
  expect(check({ a: { profile: own({ ...OWN, ...change }) } })).toContain(`\n    ${line}`);
});

test("a shell on the host reads the words of a health command as they were given", () => {
  const command = ["/usr/bin/my tool", "it's", "$HOME", "{name}"];
  const conf = renderProfileConf(loadProfile(ROOT, own({ ...OWN, health: { command } })));
  const script = `${conf}eval "set -- $HEALTH_COMMAND"; printf '%s\n' "$@"`;
  expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(`${command.join("\n")}\n`);
  expect(conf).not.toContain("HEALTH_PATH");
});

test("a shell on the host reads the headers of a request as they were given, a line each", () => {
  const headers = { "X-Key": "it's ${MY_KEY}", Accept: "*/*" };
  const conf = renderProfileConf(
    loadProfile(ROOT, own({ ...OWN, health: { ...OWN.health, headers } })),
  );
  const script = `${conf}printf '%s\n' "$HEALTH_HEADERS"`;
  expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(
    "X-Key: it's ${MY_KEY}\nAccept: */*\n",
  );
});

test("the host is told how long an agent has to stay up, and of the file that it makes", () => {
  const health = { staysUpSeconds: 15, file: "{state}/ready" };
  const told = (change: object) => renderProfileConf(loadProfile(ROOT, own({ ...OWN, ...change })));
  expect(told({ health })).toBe(
    "SERVICE='my-agent'\nHEALTH_STAYS_UP='15'\nHEALTH_FILE='{state}/ready'\nURL_VARIABLES=''\nDRAIN_FIELD=''\nDRAIN_IDLE=''\n",
  );
  expect(told({ health: { file: "/run/x" } })).toContain("HEALTH_STAYS_UP='0'\n");
});

test("the host is told who runs the agents only where it is root", () => {
  const told = (change: object) => renderProfileConf(loadProfile(ROOT, own({ ...OWN, ...change })));
  expect(told({ user: "root" })).toContain("SERVICE='my-agent'\nSERVICE_USER='root'\n");
  expect(told({})).not.toContain("SERVICE_USER");
});

const LIMAHOST = {
  secrets: { LIMA_CONTROL_PLANE_API_KEY: "k" },
  defaults: {
    profile: "limahost",
    source: "examples/limahost-stand-in",
    env: { LIMA_CONTROL_PLANE_URL: "https://control.example.com" },
  },
};

test("two agents whose config file has one place are refused on one host", () => {
  expect(check({ a: {} }, LIMAHOST)).toMatchObject([{ name: "a", port: undefined }]);
  expect(check({ a: {}, b: {} }, LIMAHOST)).toBe(
    "configuration of stack test:\n  hosts.vm-1.agents.b: its file /etc/limahost/agent.json is a's on this host; put one of them on another host, or {name} into the file's name in profile limahost",
  );
  const file = { "{name}.json": { format: "json", content: {} } };
  const profile = own({ ...OWN, ...QUIET, files: file });
  const secrets = { MY_KEY: "k" };
  expect(check({ a: { profile }, b: { profile } }, { secrets })).toHaveLength(2);
});

test("a variable that is a number takes no other text", () => {
  const env = { LIMA_HEARTBEAT_INTERVAL: "often" };
  expect(check({ a: { env } }, LIMAHOST)).toBe(
    'configuration of stack test:\n  hosts.vm-1.agents.a.env.LIMA_HEARTBEAT_INTERVAL: got "often", expected a number; correct it',
  );
});

test("agents without a port stand beside each other, and none can be given", () => {
  const profile = own({ ...OWN, ...QUIET });
  const secrets = { MY_KEY: "k" };
  expect(check({ a: { profile }, b: { profile } }, { secrets })).toMatchObject([
    { name: "a", port: undefined },
    { name: "b", port: undefined },
  ]);
  expect(check({ a: { profile, port: 9000 } }, { secrets })).toBe(
    "configuration of stack test:\n  hosts.vm-1.agents.a.port: got 9000, but agents of profile mine have no port; remove the key",
  );
});

test("an agent that is ready by staying up must be given the time for it", () => {
  const profile = own({ ...OWN, ...QUIET });
  const timed = (healthTimeoutSeconds: number) =>
    check({ a: { profile, healthTimeoutSeconds } }, { secrets: { MY_KEY: "k" } });
  expect(timed(15)).toBe(
    "configuration of stack test:\n  hosts.vm-1.agents.a.healthTimeoutSeconds: got 15, but an agent of profile mine is ready after 15 s; give a higher number",
  );
  expect(timed(16)).toMatchObject([{ healthTimeoutSeconds: 16 }]);
});

test("an agent of opencode runs the profile's program, by settings that the stack's defaults do not touch", () => {
  const agents = check(
    { oc: { profile: "opencode" } },
    { secrets: { OPENCODE_SERVER_PASSWORD: "p" } },
  );
  expect(agents).toMatchObject([
    {
      port: 4096,
      runtime: undefined,
      source: { kind: "folder", path: join(ROOT, "assets/profiles/opencode") },
      env: { HOME: "/var/lib/opencode/oc", PORT: "4096" },
    },
  ]);
  expect(renderProfileConf(loadProfile(ROOT, "opencode"))).toContain("HEALTH_USER='opencode'\n");
  expect(renderProfileConf(loadProfile(ROOT, "tseeder"))).not.toContain("HEALTH_USER");
  expect(
    check(
      { oc: { profile: "opencode", runtime: "bun" } },
      { secrets: { OPENCODE_SERVER_PASSWORD: "p" } },
    ),
  ).toContain('oc.runtime: got "bun", but profile opencode brings its own program; remove the key');
});

describe("a profile whose program the stack names", () => {
  const file = { url: "https://example.com/agent", sha256: "a".repeat(64) };
  const program = { version: "1.2.3", downloads: { "linux-amd64": file } };
  const agent = {
    ...{ profile: "techulus", env: { TECHULUS_URL: "https://example.com" } },
    units: { buildkitd: program },
    tools: { railpack: program },
  };
  const none = { secrets: {}, defaults: undefined };

  test("gets it from the agent, or from defaults, which leave other profiles alone", () => {
    expect(check({ a: { ...agent, program } }, none)).toMatchObject([
      { port: undefined, profile: { program: { ...program, binary: "techulus-agent" } } },
    ]);
    const secrets = { OPENCODE_SERVER_PASSWORD: "p" };
    const all = { secrets, defaults: { program } };
    expect(check({ a: agent, oc: { profile: "opencode" } }, all)).toMatchObject([
      { profile: { program } },
      { profile: { program: { version: "1.18.18" } } },
    ]);
  });

  test("is refused without one, and where two agents of a host have different ones", () => {
    expect(check({ a: agent }, none)).toContain(
      "\n  hosts.vm-1.agents.a.program: got nothing, expected version and downloads of techulus-agent, as profile techulus names none; add them: { version: …, downloads: { linux-amd64: { url: …, sha256: … } } }",
    );
    const other = { ...program, version: "1.2.4" };
    expect(check({ a: { ...agent, program }, b: { ...agent, program: other } }, none)).toContain(
      "\n  hosts.vm-1.agents.b.program: got another program than that of other agents of profile techulus on this host; give them the same",
    );
  });

  test("is not for a profile that runs on a runtime", () => {
    expect(check({ ts: { program } })).toContain(
      "\n  hosts.vm-1.agents.ts.program: got a program, but profile tseeder runs on bun or node; remove the key",
    );
  });
});

describe("a unit that a profile brings, whose program the stack names", () => {
  const file = { url: "https://example.com/buildkit.tar.gz", sha256: "b".repeat(64) };
  const files = { version: "0.26.3", downloads: { "linux-amd64": file } };
  const program = { version: "1.2.3", downloads: { "linux-amd64": file } };
  const agent = {
    ...{ profile: "techulus", env: { TECHULUS_URL: "https://example.com" }, program },
    tools: { railpack: program },
  };
  const none = { secrets: {}, defaults: undefined };
  const units = { buildkitd: files };

  test("gets it from the agent, or from defaults", () => {
    const filled = {
      profile: { units: { buildkitd: { program: { ...files, binary: "buildkitd" } } } },
    };
    expect(check({ a: { ...agent, units } }, none)).toMatchObject([filled]);
    expect(check({ a: agent }, { secrets: {}, defaults: { units } })).toMatchObject([filled]);
  });

  test("is refused without one, by another name, and where two agents of a host have different ones", () => {
    expect(check({ a: agent }, none)).toContain(
      "\n  hosts.vm-1.agents.a.units.buildkitd: got nothing, expected version and downloads of buildkitd, as profile techulus names none; add them: ",
    );
    expect(check({ a: { ...agent, units: { ...units, buildkit: files } } }, none)).toContain(
      "\n  hosts.vm-1.agents.a.units.buildkit: is no unit of profile techulus, which brings buildkitd, caddy; correct or remove it",
    );
    const other = { buildkitd: { ...files, version: "0.26.4" } };
    expect(check({ a: { ...agent, units }, b: { ...agent, units: other } }, none)).toContain(
      "\n  hosts.vm-1.agents.b.units: got other programs of its units than those of other agents of profile techulus on this host; give them the same",
    );
  });

  test("comes only where the stack names it, if it is optional", () => {
    const brought = (named: object) => {
      const [found] = check({ a: { ...agent, units: named } }, none) as AgentSettings[];
      return found?.profile.units;
    };
    expect(Object.keys(brought(units) ?? {})).toEqual(["buildkitd"]);
    expect(brought({ ...units, caddy: files })).toMatchObject({
      buildkitd: { program: files },
      caddy: { program: { ...files, binary: "caddy" } },
    });
  });

  test("is not optional where its profile names its files already", () => {
    const optional = { description: "Other", optional: true, program: { binary: "o", ...files } };
    const mine = own({ ...OWN, user: "root", units: { optional } });
    expect(check({ a: { profile: mine } }, { secrets: { MY_KEY: "k" } })).toContain(
      "units.optional.optional: got true, expected it where the stack names the program's files; remove it, or them",
    );
  });

  test.each([
    [{}, {}, "got nothing, expected user, as the profile has a user of its own; add it"],
    [
      { user: "root" },
      { scope: "user" },
      'got "user", expected none, as the profile runs as root; remove it',
    ],
  ])("runs as its profile does: %j with %j is refused", (profile, unit, problem) => {
    const other = { description: "Other", program: { binary: "o" }, ...unit };
    const mine = own({ ...OWN, ...profile, units: { other } });
    expect(check({ a: { profile: mine } }, { secrets: { MY_KEY: "k" } })).toContain(
      `units.other.scope: ${problem}`,
    );
  });
});

describe("a tool that a profile brings", () => {
  const file = { url: "https://example.com/railpack.tar.gz", sha256: "c".repeat(64) };
  const files = { version: "0.15.4", downloads: { "linux-amd64": file } };
  const agent = {
    ...{ profile: "techulus", env: { TECHULUS_URL: "https://example.com" }, program: files },
    units: { buildkitd: files },
  };
  const none = { secrets: {}, defaults: undefined };
  const tools = { railpack: files };

  test("has the files that the agent names, or defaults where the profile names none", () => {
    const filled = { profile: { tools } };
    expect(check({ a: { ...agent, tools } }, none)).toMatchObject([filled]);
    expect(check({ a: agent }, { secrets: {}, defaults: { tools } })).toMatchObject([filled]);
    const mine = own({ ...OWN, tools });
    const other = { railpack: { ...files, version: "0.15.5" } };
    const secrets = { MY_KEY: "k" };
    expect(check({ a: { profile: mine } }, { secrets, defaults: { tools: other } })).toMatchObject([
      { profile: { tools } },
    ]);
    expect(check({ a: { profile: mine, tools: other } }, { secrets })).toMatchObject([
      { profile: { tools: other } },
    ]);
  });

  test("is refused without files, by another name, and where two agents of a host have different ones", () => {
    expect(check({ a: agent }, none)).toContain(
      "\n  hosts.vm-1.agents.a.tools.railpack: got nothing, expected version and downloads of railpack, as profile techulus names none; add them: ",
    );
    expect(check({ a: { ...agent, tools: { ...tools, railpak: files } } }, none)).toContain(
      "\n  hosts.vm-1.agents.a.tools.railpak: is no tool of profile techulus, which brings railpack; correct or remove it",
    );
    const other = { railpack: { ...files, version: "0.15.5" } };
    expect(check({ a: { ...agent, tools }, b: { ...agent, tools: other } }, none)).toContain(
      "\n  hosts.vm-1.agents.b.tools: got other tools than those of other agents of profile techulus on this host; give them the same",
    );
  });

  test.each([
    [{ "bin/rg": {} }, 'tools.bin/rg: got the name "bin/rg", expected the name of an executable'],
    [
      { rg: { downloads: files.downloads } },
      "tools.rg.version: got nothing, expected an exact version, in quotes; add it",
    ],
    [
      { rg: { binary: "rg" } },
      "tools.rg.binary: unknown key (known: version, packages, downloads)",
    ],
    [
      { rg: null },
      "tools.rg: got null, expected version and files, or {} where the stack names them",
    ],
    [
      { helper: {} },
      'tools.helper: got "helper", expected a name that no other program of the profile has; remove it',
    ],
  ])("is checked: %j", (given, problem) => {
    const helper = { description: "H", scope: "user", program: { binary: "helper" } };
    const mine = own({ ...OWN, units: { helper }, tools: given });
    expect(check({ a: { profile: mine } }, { secrets: { MY_KEY: "k" } })).toContain(problem);
  });
});

test("that a profile has units of its user reaches the host's scripts, which install what their manager needs", () => {
  const helper = { description: "Helper", scope: "user", program: { binary: "helper" } };
  const conf = (more: object) => renderProfileConf(loadProfile(ROOT, own({ ...OWN, ...more })));
  expect(conf({ units: { helper } })).toContain("USER_UNITS='yes'\n");
  expect(conf({})).not.toContain("USER_UNITS");
});

describe("what agents make elsewhere", () => {
  const load = (uninstall: unknown) => loadProfile(ROOT, own({ ...OWN, uninstall }));

  test("reaches the uninstall on the host; without any nothing is said", () => {
    const paths = ["/var/cache/seed/{name}", "/run/seed-{name}.pid", "/etc/seed.d/x_1"];
    expect(renderProfileConf(load(paths))).toContain(`LEFT_ELSEWHERE='${paths.join(" ")}'\n`);
    expect(renderProfileConf(load([]))).not.toContain("LEFT_ELSEWHERE");
  });

  test.each([
    "/etc",
    "/etc/",
    "/var/cache",
    "/usr/bin/seed",
    "/home/agent",
    "/",
    "cache",
    "/var/cache/../lib",
    "/var/cache/.hidden",
    "/var/cache//seed",
    "/var/cache/a b",
    "/var/cache/*",
    "/var/cache/$(id)",
    "/var/cache/'x'",
    "/{name}",
  ])("is refused where it is %s", (path) => {
    expect(() => load([path])).toThrow(`uninstall.0: got "${path}", expected a path such as`);
  });
});

test("the packages of a profile reach the host's scripts, and those of one without say nothing", () => {
  const conf = renderProfileConf(loadProfile(ROOT, "techulus"));
  expect(conf).toContain("PACKAGES_REDHAT='wireguard-tools podman dnsmasq'\n");
  expect(renderProfileConf(loadProfile(ROOT, "tseeder"))).not.toContain("PACKAGES");
});

test("a value for all agents reaches those whose profile knows it; one that no profile knows reaches all", () => {
  const secrets = {
    WORKER_CLUSTER_TOKEN: "t",
    CALLBACK_SIGNING_SECRET: "c",
    OPENCODE_SERVER_PASSWORD: "p",
    SHARED: "s",
  };
  const agents = check({ ts: {}, oc: { profile: "opencode" } }, { secrets });
  const names = (agents as AgentSettings[]).map((agent) => Object.keys(agent.secrets).sort());
  expect(names).toEqual([
    ["CALLBACK_SIGNING_SECRET", "SHARED", "WORKER_CLUSTER_TOKEN"],
    ["OPENCODE_SERVER_PASSWORD", "SHARED"],
  ]);
  const [ts, oc] = agents as AgentSettings[];
  expect([ts?.env["R2_BUCKET"], oc?.env["R2_BUCKET"]]).toEqual(["b", undefined]);
});

test("an agent that goes from the stack file leaves its variables to nobody: the others would restart", () => {
  const secrets = { WORKER_CLUSTER_TOKEN: "t", CALLBACK_SIGNING_SECRET: "c", SHARED: "s" };
  const before = check({ ts: {} }, { secrets }) as AgentSettings[];
  const after = check(
    { ts: {} },
    { secrets: { ...secrets, OPENCODE_SERVER_PASSWORD: "p" } },
  ) as AgentSettings[];
  expect(Object.keys(before[0]?.secrets ?? {})).toEqual(Object.keys(secrets));
  expect(Object.keys(after[0]?.secrets ?? {})).toEqual(Object.keys(secrets));
});

test("two profiles of one service on one host are refused, since they would share user, folders and unit", () => {
  const file = own({ ...OWN, service: "tseeder-agent", env: {} });
  expect(check({ ts: {}, mine: { profile: file } })).toBe(
    [
      "configuration of stack test:",
      "  hosts.vm-1.agents.mine.profile: got the service tseeder-agent, which is profile tseeder's on this host; give each profile a service of its own",
    ].join("\n"),
  );
});

describe("the example of docs/adding-an-agent.md", () => {
  const page = readFileSync(join(ROOT, "docs/adding-an-agent.md"), "utf8");
  const [profile = "", stack = ""] = codeBlocks(page, "yaml");

  test("is a profile and a stack that the check takes, and that an editor marks nothing in", () => {
    mkdirSync(join(base, "my-agent"));
    writeFileSync(join(base, "my-agent/main.js"), codeBlocks(page, "js")[0] ?? "");
    writeFileSync(join(base, "my-agent.yaml"), profile);
    expect(validate(parse(profile))).toBe(true);
    const { config } = parse(stack) as { config: Record<string, Record<string, object>> };
    const text = JSON.stringify(config["agent-fleet:hosts"]?.["vm-1"]).replace("./", `${base}/`);
    const { agents } = JSON.parse(text) as { agents: object };
    expect(check(agents, { secrets: { TICKER_TOKEN: "t" }, defaults: undefined })).toMatchObject([
      { name: "ticker-1", port: 9100, source: { path: join(base, "my-agent") } },
    ]);
  });

  test("answers as its profile says, and 401 to others", async () => {
    const file = join(base, "main.js");
    writeFileSync(
      file,
      (codeBlocks(page, "js")[0] ?? "").replace(
        "listen(Number(PORT))",
        "listen(Number(PORT), '127.0.0.1', function () { console.log(this.address().port); })",
      ),
    );
    const agent = spawn(process.execPath, [file], { env: { PORT: "0", TICKER_TOKEN: "t" } });
    try {
      const [line] = (await once(agent.stdout, "data")) as [Buffer];
      const { health } = parse(profile) as {
        health: { path: string; field: string; ready: string[] };
      };
      const ask = (token: string) =>
        fetch(`http://127.0.0.1:${line.toString().trim()}${health.path}`, {
          headers: { Authorization: `Bearer ${token}` },
        });
      expect((await ask("other")).status).toBe(401);
      const answer = (await (await ask("t")).json()) as Record<string, unknown>;
      expect(health.ready).toContain(answer[health.field]);
    } finally {
      agent.kill();
    }
  });
});
