import {
  forgetPlan,
  forgettable,
  hostFault,
  protectedBy,
  tell,
  uncleaned,
} from "../../cli/cleaning";
import type { StoredResource } from "../../cli/backend";

const PREFIX = "urn:pulumi:dev::agent-fleet::";
const STACK = `${PREFIX}pulumi:pulumi:Stack::agent-fleet-dev`;
const machine = (host: string, kind = "SshHost") => `${PREFIX}agent-fleet:host:${kind}::${host}`;
const step = (host: string, name: string, kind = "SshHost") =>
  `${PREFIX}agent-fleet:host:${kind}$command:remote:Command::${name}-${host}`;
const gate = (index: number) => `${PREFIX}command:local:Command::after-wave-${String(index)}`;

const stackResource: StoredResource = {
  urn: STACK,
  type: "pulumi:pulumi:Stack",
  outputs: { hosts: { office: { user: "ops", address: "203.0.113.7" } } },
};

/** A host with its set-up and agents; each agent may wait for a gate. */
function host(
  name: string,
  agents: Readonly<Record<string, string | undefined>>,
): StoredResource[] {
  const setup = step(name, "setup");
  return [
    { urn: machine(name), type: "agent-fleet:host:SshHost", parent: STACK },
    {
      urn: setup,
      type: "command:remote:Command",
      parent: machine(name),
      inputs: { delete: `timeout 660 sh uninstall host ${name} # on machine abc` },
    },
    ...Object.entries(agents).map(([agent, before]) => ({
      urn: step(name, agent),
      type: "command:remote:Command",
      parent: machine(name),
      dependencies: before === undefined ? [setup] : [setup, before],
      inputs: { delete: `timeout 480 sh uninstall agent ${agent} ${name} # on machine abc` },
    })),
  ];
}

const REFUSED = "after 10 failed attempts: dial tcp 203.0.113.7:22: connect: connection refused";

test.each([
  [REFUSED, "it refuses the connection"],
  ["proxy: after 10 failed attempts: dial tcp 1.2.3.4:22: i/o timeout", "it cannot be reached"],
  ["dial tcp: lookup office.example.com: no such host", "its name is not known any more"],
  [
    "ssh: handshake failed: ssh: host key mismatch",
    "its host key is another one: it was installed anew, or it is another machine",
  ],
  [
    "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
    "it does not let the stack's key in any more",
  ],
  [
    'Process exited with status 1: running "sudo -n timeout …": sudo: a password is required',
    "its user may not use sudo without a password any more",
  ],
  ["ops is not in the sudoers file", undefined],
  ["dial unix /tmp/agent: connect: no such file or directory", undefined],
  ['Process exited with status 1: running "sh uninstall": rm: cannot remove', undefined],
])("of %s the host is to blame: %s", (message, reason) => {
  expect(hostFault(message)).toBe(reason);
});

test("a host that cannot be cleaned is told with the reason and the command lines that do it by hand", () => {
  const resources = [stackResource, ...host("office", { one: undefined }), ...host("lab", {})];
  const left = uncleaned(resources, new Map([[step("office", "one"), REFUSED]]));
  expect(left.map(tell)).toEqual([
    [
      "office is not cleaned: it refuses the connection",
      "  what may still be there is removed by hand with these lines, on ops@203.0.113.7:",
      "    timeout 480 sh uninstall agent one office",
      "    timeout 660 sh uninstall host office",
    ].join("\n"),
  ]);
});

test("an uninstall that fails on a host that answers is no fault of the host", () => {
  const resources = [stackResource, ...host("office", { one: undefined })];
  const [left] = uncleaned(resources, new Map([[step("office", "one"), "rm: no space left"]]));
  expect(left).toMatchObject({ host: "office", hostFault: false });
});

test("only machines that existed before the stack can be forgotten", () => {
  const vm = { urn: machine("vm-1", "LocalHost"), type: "agent-fleet:host:LocalHost" };
  expect(forgettable([stackResource, vm, ...host("office", {})])).toEqual(["office"]);
});

test("a host that nothing else waits for is forgotten as a whole, by one call", () => {
  const resources = [
    stackResource,
    ...host("office", { one: undefined }),
    ...host("lab", { two: undefined }),
  ];
  expect(forgetPlan(resources, ["office"])).toEqual([
    { urn: machine("office"), withDependents: true },
  ]);
});

test("gates that only the host's own agents wait for go with it", () => {
  const [office, setup, one, two] = host("office", { one: undefined, two: gate(1) });
  const wave = { urn: gate(1), type: "command:local:Command", dependencies: [one?.urn ?? ""] };
  const resources = [stackResource, office, setup, one, wave, two].filter(
    (each) => each !== undefined,
  );
  expect(forgetPlan(resources, ["office"])).toEqual([
    { urn: machine("office"), withDependents: true },
  ]);
});

test("what another host's agent still waits for is kept, and that agent too", () => {
  const [office, setup, one, three] = host("office", { one: undefined, three: undefined });
  const [lab, labSetup, two] = host("lab", { two: gate(1) });
  const wave = { urn: gate(1), type: "command:local:Command", dependencies: [one?.urn ?? ""] };
  const resources = [stackResource, office, lab, setup, labSetup, one, three, wave, two].filter(
    (each) => each !== undefined,
  );
  expect(forgetPlan(resources, ["office"])).toEqual([
    { urn: step("office", "three"), withDependents: false },
  ]);
});

test("a protected VM is named with the key that protects it", () => {
  const urn = machine("vm-1", "LocalHost");
  const resources = [
    stackResource,
    { urn, type: "agent-fleet:host:LocalHost", parent: STACK },
    { urn: `${urn}-machine`, type: "command:local:Command", parent: urn, protect: true },
  ];
  expect(protectedBy(resources, "prod")).toEqual([
    "vm-1 is protected; to allow it, take `protect: true` away from hosts.vm-1 in Pulumi.prod.yaml and run ./fleet up -s prod",
  ]);
});
