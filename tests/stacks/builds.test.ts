import type { Source } from "../../components/agent/source";
import { buildKey } from "../../stacks/builds";
import type { AgentSettings, HostSettings } from "../../stacks/fleet-settings";

const folder = (path: string): Source => ({ kind: "folder", path });
const host = { arch: "amd64", config: { provider: "ssh" } } as HostSettings;
const profile = { install: "operator" };
const agent = {
  name: "one",
  source: folder("/a"),
  runtime: "bun",
  profile,
  port: 8787,
} as AgentSettings;
const key = buildKey(host, agent);

test("agents that differ in nothing that is built share it, on every host", () => {
  const other = { ...agent, name: "two", port: 8788 };
  expect(buildKey({ ...host, name: "vm-2" }, other)).toBe(key);
});

test.each<[string, Partial<HostSettings>, object]>([
  ["another source", {}, { source: folder("/b") }],
  ["another runtime", {}, { runtime: "node" }],
  ["a profile that installs on the host", {}, { profile: { install: "host" } }],
  ["a profile with another tool", {}, { profile: { ...profile, tools: { rg: {} } } }],
  ["another architecture", { arch: "arm64" }, {}],
  [
    "a host that downloads for itself",
    { config: { ...host.config, runtimeDelivery: "download" } },
    {},
  ],
])("%s is built for itself", (_, onHost, ofAgent) => {
  expect(buildKey({ ...host, ...onHost }, { ...agent, ...ofAgent })).not.toBe(key);
});
