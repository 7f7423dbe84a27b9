import { driftOf, renderDrift } from "../../cli/drift";
import { mark, markUnsent, type State } from "../../cli/mark";

const EDITED = {
  what: "env file",
  expected: "16a8ad64",
  found: "665bcddf",
  changedAt: "2026-11-21T11:25:19Z",
  changedBy: "ops (sudo)",
};
const line = (agent: string, drift: readonly object[], more: object = {}) =>
  JSON.stringify({ agent, drift, ...more });

test("a host's lines become its agents' drift; a busy agent and a silent host are not called clean", () => {
  const text = ["Welcome!", line("a", [EDITED]), line("b", []), line("c", [], { busy: true })];
  expect(driftOf("vm-1", ["a", "b", "c"], text.join("\n"), undefined)).toEqual([
    { agent: "a", host: "vm-1", differences: [EDITED] },
    { agent: "b", host: "vm-1", differences: [] },
    { agent: "c", host: "vm-1", differences: [], unknown: "an activation is at work on it" },
  ]);
  expect(driftOf("vm-1", ["a"], "", "no answer within 60 s")[0]?.unknown).toBe(
    "no answer within 60 s",
  );
});

test("an agent that its host does not know, or a host without our scripts, has lost the agent", () => {
  for (const reason of [undefined, "sh: 1: /opt/x/bin/verify: not found"]) {
    const [gone] = driftOf("vm-1", ["a"], "", reason);
    expect(gone?.differences[0]).toMatchObject({ what: "the agent", found: "missing" });
  }
});

test("drift is a table, with what could not be looked at below it", () => {
  expect(
    renderDrift([
      { agent: "a", host: "vm-1", differences: [EDITED] },
      { agent: "b", host: "vm-2", differences: [], unknown: "no answer within 60 s" },
    ]),
  ).toBe(
    [
      "AGENT  HOST  WHAT      EXPECTED  FOUND     CHANGED               BY",
      "a      vm-1  env file  16a8ad64  665bcddf  2026-11-21T11:25:19Z  ops (sudo)",
      "b on vm-2: not looked at: no answer within 60 s",
    ].join("\n"),
  );
  expect(renderDrift([{ agent: "a", host: "vm-1", differences: [] }])).toBe("");
});

const HOSTS = ["vm", "vm-1"];
const AGENTS = { a: "vm-1", b: "vm-1", c: "vm" };

/** What a stack of two hosts and three agents leaves behind, as far as marks look at it. */
function state(): State {
  const urn = (type: string, name: string) => `urn:pulumi:dev::agent-fleet::${type}::${name}`;
  const command = (name: string, parent: string, inputs: object) => ({
    urn: urn("command:remote:Command", name),
    type: "command:remote:Command",
    parent,
    inputs: { ...inputs },
    outputs: { ...inputs, stdout: "" },
  });
  const onHost = HOSTS.flatMap((host) => {
    const component = urn("agent-fleet:host:SshHost", host);
    const child = (type: string, name: string) => ({
      urn: urn(`agent-fleet:agent:${type}`, name),
      type: `agent-fleet:agent:${type}`,
      parent: component,
    });
    const delivery = (kind: string, id: string) => {
      const parent = child(kind, `${host}-${kind}`);
      const upload = {
        urn: urn("command:remote:CopyToRemote", `${host}-${kind}-upload`),
        type: "command:remote:CopyToRemote",
        parent: parent.urn,
        inputs: { triggers: ["id"] },
        outputs: { triggers: ["id"] },
      };
      const step = (script: string) => {
        const line = `sh /opt/tseeder-agent/bin/${script} ${kind.toLowerCase()} ${id} # on machine id`;
        const inputs = script === "offer" ? { update: line } : { create: line };
        return command(`${host}-${kind}-${script}`, parent.urn, inputs);
      };
      const offer = kind === "Release" ? [step("offer")] : [];
      return [parent, ...offer, upload, step("unpack")];
    };
    const setup = child("HostSetup", `${host}-setup`);
    const undo = `sh -c x sh /opt/tseeder-agent/bin/uninstall host ${host} # on machine id`;
    return [
      { urn: component, type: "agent-fleet:host:SshHost" },
      command(`${host}-host-firewall-confirm`, component, { create: "sh … confirm" }),
      command(`${host}-tunnel-cloudflared`, component, { create: "sh … start" }),
      setup,
      command(`${host}-setup-run`, setup.urn, { create: "sh -c …", delete: undo }),
      ...delivery("Runtime", "bun-1"),
      ...delivery("Release", "abc"),
      command(`${host}-railpack-link`, component, {
        create: "sh /opt/tseeder-agent/bin/bring-tool railpack railpack-1 vm-1 # on machine id",
      }),
      command(`${host}-buildkitd-unit`, component, {
        create: "sh /opt/tseeder-agent/bin/bring-unit buildkitd buildkitd-1 vm-1 # on machine id",
      }),
    ];
  });
  const activations = Object.entries(AGENTS).map(([agent, host]) =>
    command(`${agent}@${host}-activation`, urn("agent-fleet:agent:Agent", `${agent}@${host}`), {
      create: `sh /opt/tseeder-agent/bin/activate ${agent} # on machine id`,
    }),
  );
  return { deployment: { resources: [...onHost, ...activations] } };
}

const OUTPUTS = {
  hosts: {},
  agents: Object.fromEntries(
    Object.entries(AGENTS).map(([agent, host]) => [
      agent,
      { host, unit: `tseeder-agent@${agent}`, port: 1, release: "abc", url: "", health: "" },
    ]),
  ),
};

/** The names of the resources that a drift of agent a marks. */
function markedBy(what: string): string[] {
  const before = state();
  const after = state();
  mark(after, OUTPUTS, [
    { agent: "a", host: "vm-1", differences: [{ ...EDITED, what }] },
    { agent: "b", host: "vm-1", differences: [] },
  ]);
  return changedNames(before, after);
}

function changedNames(before: State, after: State): string[] {
  const changed = (after.deployment.resources ?? []).filter(
    (resource, index) =>
      JSON.stringify(resource) !== JSON.stringify(before.deployment.resources?.[index]),
  );
  return changed.map(({ urn }) => urn.split("::").at(-1) ?? "");
}

test.each([
  ["env file", ["a@vm-1-activation"]],
  ["running state", ["a@vm-1-activation"]],
  ["host firewall", ["vm-1-host-firewall-confirm", "a@vm-1-activation"]],
  ["tunnel", ["vm-1-tunnel-cloudflared", "a@vm-1-activation"]],
  ["service user", ["vm-1-setup-run", "a@vm-1-activation"]],
  [
    "release file src/index.ts",
    ["vm-1-Release-offer", "vm-1-Release-upload", "vm-1-Release-unpack", "a@vm-1-activation"],
  ],
  ["unit", ["a@vm-1-activation"]],
  ["unit buildkitd.service", ["vm-1-buildkitd-unit", "a@vm-1-activation"]],
  ["tool railpack", ["vm-1-railpack-link", "a@vm-1-activation"]],
  [
    "runtime files",
    [
      ...["vm-1-Runtime-upload", "vm-1-Runtime-unpack"],
      ...["vm-1-buildkitd-unit", "a@vm-1-activation"],
    ],
  ],
  [
    "the agent",
    [
      ...["vm-1-setup-run", "vm-1-Runtime-upload", "vm-1-Runtime-unpack"],
      ...["vm-1-Release-offer", "vm-1-Release-upload", "vm-1-Release-unpack"],
      ...["vm-1-railpack-link", "vm-1-buildkitd-unit", "a@vm-1-activation"],
    ],
  ],
])("of drift in the %s, exactly the steps that repair it are marked", (what, names) => {
  expect(markedBy(what)).toEqual(names);
});

test("a mark is in inputs and outputs, leaves the way to undo the step, and is set once", () => {
  const marked = state();
  const drift = [{ agent: "a", host: "vm-1", differences: [{ ...EDITED, what: "the agent" }] }];
  expect(mark(marked, OUTPUTS, drift)).toBe(9);
  const once = JSON.stringify(marked);
  expect(mark(marked, OUTPUTS, drift)).toBe(9);
  expect(JSON.stringify(marked)).toBe(once);
  const setup = marked.deployment.resources?.find(({ urn }) => urn.endsWith("::vm-1-setup-run"));
  const create = "sh -c … drifted, to be done again";
  expect(setup?.inputs?.["create"]).toBe(create);
  expect(setup?.outputs?.["create"]).toBe(create);
  expect(setup?.inputs?.["delete"]).toMatch(/uninstall host vm-1 # on machine id$/);
});

test("an archive that could not be unpacked is offered and sent again, and nothing else is done again", () => {
  const before = state();
  const after = state();
  expect(markUnsent(after, ["urn:pulumi:dev::agent-fleet::x::vm-1-Release-unpack"])).toBe(2);
  expect(changedNames(before, after)).toEqual(["vm-1-Release-offer", "vm-1-Release-upload"]);
});
