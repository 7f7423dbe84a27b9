/** What may reach a host from outside, in no provider's words. Everything that is not listed is closed. */

export interface InboundRule {
  /** `ssh`, or `port-8787` for an agent's port: part of names, and the description at the provider. */
  readonly name: string;
  /** TCP port. */
  readonly port: number;
  /** IPv4 ranges in CIDR form, sorted. */
  readonly ipv4: readonly string[];
  /** IPv6 ranges in CIDR form, sorted. */
  readonly ipv6: readonly string[];
}

/** How agents are reached, with the ranges that this needs. */
export type Exposure =
  /** From these ranges; from nowhere where there is none. */
  | { readonly kind: "private"; readonly from: readonly string[] }
  /** Through a tunnel that the host opens outward: nothing inbound. */
  | { readonly kind: "tunnel" }
  /** From Cloudflare's published ranges. */
  | { readonly kind: "cloudflare"; readonly ranges: readonly string[] };

export interface InboundArgs {
  /** Ranges that may reach port 22. */
  readonly allowFrom: readonly string[];
  readonly exposure: Exposure;
  /** Ports of the agents. */
  readonly ports: readonly number[];
}

/** All TCP, and nothing but these; the same settings in another order give the same rules. */
export function inboundRules({ allowFrom, exposure, ports }: InboundArgs): InboundRule[] {
  const agents = agentRanges(exposure);
  const sorted = [...new Set(ports)].sort((a, b) => a - b);
  return [
    rule("ssh", 22, allowFrom),
    ...sorted.map((port) => rule(`port-${String(port)}`, port, agents)),
  ].filter(({ ipv4, ipv6 }) => ipv4.length + ipv6.length > 0);
}

/** Who may reach the agents' ports from outside. */
export function agentRanges(exposure: Exposure): readonly string[] {
  switch (exposure.kind) {
    case "private":
      return exposure.from;
    case "tunnel":
      return [];
    case "cloudflare":
      return exposure.ranges;
  }
}

function rule(name: string, port: number, ranges: readonly string[]): InboundRule {
  const all = [...new Set(ranges)].sort();
  const isV6 = (range: string) => range.includes(":");
  return { name, port, ipv4: all.filter((range) => !isV6(range)), ipv6: all.filter(isV6) };
}

/** Both families, for providers whose rules take them together. */
export function sources({ ipv4, ipv6 }: InboundRule): string[] {
  return [...ipv4, ...ipv6];
}
