import { inboundRules, sources } from "../../../components/host/inbound";

const SSH = { name: "ssh", port: 22, ipv4: ["198.51.100.0/24"], ipv6: [] };
const OFFICE = ["198.51.100.0/24"];

test("a tunnel needs nothing inbound but SSH", () => {
  expect(
    inboundRules({ allowFrom: OFFICE, exposure: { kind: "tunnel" }, ports: [8787, 8788] }),
  ).toEqual([SSH]);
});

test("private agents without a range are closed", () => {
  const exposure = { kind: "private", from: [] } as const;
  expect(inboundRules({ allowFrom: OFFICE, exposure, ports: [8787] })).toEqual([SSH]);
});

test("private agents are open to their range alone, each at its own port, and SSH is not", () => {
  const exposure = { kind: "private", from: ["10.0.0.0/8", "fd00::/16"] } as const;
  expect(inboundRules({ allowFrom: OFFICE, exposure, ports: [8788, 8787] })).toEqual([
    SSH,
    { name: "port-8787", port: 8787, ipv4: ["10.0.0.0/8"], ipv6: ["fd00::/16"] },
    { name: "port-8788", port: 8788, ipv4: ["10.0.0.0/8"], ipv6: ["fd00::/16"] },
  ]);
});

test("agents behind Cloudflare are open to Cloudflare's ranges", () => {
  const exposure = { kind: "cloudflare", ranges: ["173.245.48.0/20", "2400:cb00::/32"] } as const;
  expect(inboundRules({ allowFrom: OFFICE, exposure, ports: [8787] })).toEqual([
    SSH,
    { name: "port-8787", port: 8787, ipv4: ["173.245.48.0/20"], ipv6: ["2400:cb00::/32"] },
  ]);
});

test("another order of the same settings, or a repetition, gives the same rules", () => {
  const one = inboundRules({
    allowFrom: ["203.0.113.0/24", "198.51.100.0/24"],
    exposure: { kind: "private", from: ["10.2.0.0/16", "10.1.0.0/16"] },
    ports: [8788, 8787],
  });
  const other = inboundRules({
    allowFrom: ["198.51.100.0/24", "203.0.113.0/24", "198.51.100.0/24"],
    exposure: { kind: "private", from: ["10.1.0.0/16", "10.2.0.0/16"] },
    ports: [8787, 8788, 8787],
  });
  expect(other).toEqual(one);
});

test("both families come together where a provider's rule takes them so", () => {
  const [ssh] = inboundRules({
    allowFrom: ["2001:db8::/48", "198.51.100.0/24"],
    exposure: { kind: "tunnel" },
    ports: [],
  });
  expect(ssh && sources(ssh)).toEqual(["198.51.100.0/24", "2001:db8::/48"]);
});
