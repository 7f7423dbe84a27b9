import fc from "fast-check";
import { askAgents, type AgentStatus } from "../../cli/agent-status";
import type { HostOutput, Outputs } from "../../cli/outputs";
import { pictureOf } from "../../cli/picture/facts";
import { layoutOf } from "../../cli/picture/layout";
import { textWidth, wrapped } from "../../cli/picture/lines";
import { markOf } from "../../cli/picture/marks";
import { escaped } from "../../cli/picture/markup";
import { fleetPage } from "../../cli/picture/page";
import { GLYPH, THEMES } from "../../cli/picture/palette";
import { SAMPLE } from "../../cli/picture/sample";
import { fleetSvg } from "../../cli/picture/svg";
import { contrast } from "../browser/contrast";
import { standInHosts } from "./stand-in-hosts";

const { connections, program } = standInHosts({ "vm-1": ["a", "b"], "vm-2": ["c"], "vm-3": [] });

const ASKED = new Date("2026-01-02T03:04:05Z");
const HOST: HostOutput = {
  ...{ provider: "hcloud", address: "203.0.113.7", port: 22, user: "root", hostKey: "k" },
  ...{ exposure: "private", hostFirewall: true },
};
const STATUS: AgentStatus = {
  ...{ agent: "a", host: "vm-1", state: "available", jobs: 1, release: "r", url: "", since: "" },
  ...{ restarts: 0, memory: null, diskFree: null, tunnel: null },
};

/** One host with one agent. */
function drawn(
  host: Partial<HostOutput>,
  status: Partial<AgentStatus> = {},
  port: { port?: number } = { port: 8787 },
) {
  const agent = {
    host: "vm-1",
    unit: "tseeder-agent@a",
    release: "r",
    health: "available",
    ...port,
  };
  const access = { clientId: "the-id", clientSecret: "the-secret" };
  const outputs: Outputs = {
    agents: { a: agent },
    hosts: { "vm-1": { ...HOST, ...host } },
    access,
  };
  return pictureOf("dev", ASKED, outputs, ["vm-1"], [{ ...STATUS, ...status }]);
}

test.each<[Partial<HostOutput>, Partial<AgentStatus>, string]>([
  [{}, {}, "closed: nobody, but the host itself"],
  [{ provider: "local" }, {}, "open: this machine, by forwards to the VM"],
  [{ privateFrom: ["10.0.0.0/8", "fd00::/8"] }, {}, "open: private ranges, 10.0.0.0/8, fd00::/8"],
  [{ hostFirewall: false }, {}, "closed: nobody, but the host itself"],
  [{ provider: "ssh", hostFirewall: false }, {}, "open: whoever reaches the host"],
  [{ exposure: "cloudflare" }, {}, "open: Cloudflare, its published ranges"],
  [{ exposure: "tunnel" }, { tunnel: "connected" }, "tunnel: Cloudflare Tunnel, connected"],
  [{ exposure: "tunnel" }, { tunnel: "no edge" }, "down: Cloudflare Tunnel, no edge"],
  [{ exposure: "tunnel" }, {}, "down: Cloudflare Tunnel, not on the host"],
  [{ exposure: "tunnel" }, { reason: "x" }, "unknown: Cloudflare Tunnel, the host does not tell"],
])("who reaches the agents of a host %j that tells %j is %s", (host, status, expected) => {
  const told = drawn(host, status).hosts.map(
    ({ way }) => `${way.kind}: ${[way.from, ...way.details].join(", ")}`,
  );
  expect(told).toEqual([expected]);
});

test("what an older version has stored says nothing of ways in and firewalls, and nothing is made up", () => {
  const older = { provider: "ssh", address: "203.0.113.7", port: 22, user: "root", hostKey: "k" };
  const outputs = {
    agents: { a: { host: "vm-1", unit: "x@a", port: 1, release: "", health: "" } },
    hosts: { "vm-1": older },
  };
  const [host] = pictureOf("dev", ASKED, outputs, ["vm-1"], [STATUS]).hosts;
  expect(host).toMatchObject({ firewall: null, way: { kind: "unknown", from: "not known" } });
});

test("to an agent without a port nobody is led", () => {
  expect(drawn({ exposure: "tunnel" }, {}, {}).hosts[0]).toMatchObject({
    way: { kind: "closed", from: "nobody" },
    agents: [{ port: null }],
  });
});

test("an agent that is well behind a way that is not is not reached; one that is not well is as it is", () => {
  const failed = "hostname: x answers 530";
  expect(drawn({}, { failed }).hosts[0]?.agents).toMatchObject([
    { state: "not reached", note: failed },
  ]);
  expect(drawn({}, { state: "stopped", failed }).hosts[0]?.agents).toMatchObject([
    { state: "stopped" },
  ]);
});

test("secrets among the outputs are in no picture", () => {
  const picture = drawn({});
  expect(fleetPage(picture) + JSON.stringify(picture)).not.toMatch(/the-id|the-secret/);
});

test("a host that does not answer is drawn with its agents unreachable, and why; one without agents is empty", async () => {
  program(
    "status",
    `[ $HOST = vm-1 ] || { echo 'Connection refused' >&2; exit 255; }
echo '{"agent":"a","state":"available","jobs":2}'
echo '{"agent":"b","state":"failed"}'`,
  );
  const statuses = await askAgents(connections);
  const { outputs } = connections;
  const { hosts } = pictureOf("dev", ASKED, outputs, Object.keys(outputs.hosts), statuses);
  expect(hosts).toMatchObject([
    { name: "vm-1", reason: null, agents: [{ state: "available", jobs: 2 }, { state: "failed" }] },
    { name: "vm-2", reason: "Connection refused", agents: [{ name: "c", state: "unreachable" }] },
    { name: "vm-3", reason: null, agents: [] },
  ]);
});

const STATES = [
  ...["available", "full", "starting", "stopped", "disabled", "unreachable", "not reached"],
  "unavailable",
];

test("each state has a shape of its own, so that nobody needs its colour", () => {
  const shapes = STATES.map((state) => markOf(state).shape + markOf(state).glyph);
  expect(new Set(shapes).size).toBe(STATES.length);
  expect(markOf("constructor")).toBe(markOf("unavailable"));
});

test("the sample has each state, and each way in that a new stack has", () => {
  const states = SAMPLE.hosts.flatMap(({ agents }) => agents.map(({ state }) => state));
  expect([...new Set(states)].sort()).toEqual([...STATES].sort());
  expect(SAMPLE.hosts.map(({ way }) => way.kind).sort()).toEqual([
    "closed",
    "down",
    "open",
    "tunnel",
  ]);
});

test.each(Object.entries(THEMES))(
  "%s: text stands out at least 4.5 to 1, marks 3 to 1",
  (_, theme) => {
    for (const ground of [theme.page, theme.card, theme.box]) {
      expect(contrast(theme.text, ground)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(theme.muted, ground)).toBeGreaterThanOrEqual(4.5);
      expect(contrast(theme.edge, ground)).toBeGreaterThanOrEqual(3);
      for (const { colour } of STATES.map(markOf)) {
        const edgeOrFill = Math.max(contrast(theme.outline, ground), contrast(colour, ground));
        expect(edgeOrFill).toBeGreaterThanOrEqual(3);
        expect(contrast(GLYPH, colour)).toBeGreaterThanOrEqual(3);
      }
    }
  },
);

test("black on white is 21 to 1, however it is written", () => {
  expect(contrast("#000000", "rgb(255, 255, 255)")).toBe(21);
});

test("no line is wider than it may be, and no letter is lost", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.integer({ min: 20, max: 300 }),
      (text, width) => {
        const lines = wrapped(text, width, 13);
        expect(lines.filter((line) => textWidth(line, 13) > width)).toEqual([]);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
      },
    ),
  );
});

test.each([
  ["one two three", ["one two", "three"]],
  ["agent-of-wing", ["agent-of-", "wing"]],
  ["abcdefghijklm", ["abcdefghi", "jklm"]],
  ["没有到主机", ["没有到主", "机"]],
  ["", [""]],
])("%j in nine columns is %j", (text, lines) => {
  expect(wrapped(text, 9.5 * 13 * 0.62, 13)).toEqual(lines);
});

test("text is no markup, and holds nothing that XML cannot", () => {
  expect(escaped(`<a b="c">&'\u001b[0m\ud800`)).toBe(
    "&#60;a b=&#34;c&#34;&#62;&#38;&#39;\ufffd[0m\ufffd",
  );
});

test("names that fit stand three in a row, longer ones fewer, and none is cut", () => {
  const columns = (name: string) => {
    const agent = { ...SAMPLE.hosts[0]?.agents[0], name } as (typeof SAMPLE.hosts)[0]["agents"][0];
    const hosts = SAMPLE.hosts
      .slice(0, 1)
      .map((host) => ({ ...host, agents: [agent, agent, agent] }));
    const { agents = [] } = layoutOf({ ...SAMPLE, hosts }).hosts[0] ?? {};
    expect(agents.map(({ lines }) => lines[0]?.text)).toEqual([name, name, name]);
    return new Set(agents.map(({ x }) => x)).size;
  };
  expect([columns("a"), columns("a".repeat(31)), columns("a".repeat(60))]).toEqual([3, 2, 1]);
});

test("the firewall is a wall with a hole where there is a way in, whole where there is none, and absent where it is off", () => {
  const walls = (host: Partial<HostOutput>) =>
    fleetSvg(drawn(host)).match(/<rect class="wall"/g)?.length ?? 0;
  expect(walls({ privateFrom: ["10.0.0.0/8"] })).toBe(2);
  expect(walls({})).toBe(1);
  expect(walls({ hostFirewall: false })).toBe(0);
});
