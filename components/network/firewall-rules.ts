/** The text of the host firewall's rules: the table of assets/nftables, and what is in its sets. */

export interface FirewallRules {
  /** TCP and UDP ports that are closed. */
  readonly ports: readonly number[];
  /** IPv4 and IPv6 ranges in CIDR form that may reach them. */
  readonly from: readonly string[];
}

/** The same rules in another order give the same text. A set without elements is left out: nft takes none. */
export function renderRules(table: string, { ports, from }: FirewallRules): string {
  const numbers = [...new Set(ports)].sort((a, b) => a - b).map(String);
  const ranges = [...new Set(from)].sort();
  const isV6 = (range: string) => range.includes(":");
  return [
    table.trimEnd(),
    "",
    ...elements("ports", numbers),
    ...elements(
      "allowed4",
      ranges.filter((range) => !isV6(range)),
    ),
    ...elements("allowed6", ranges.filter(isV6)),
    "",
  ].join("\n");
}

function elements(set: string, values: readonly string[]): string[] {
  return values.length === 0
    ? []
    : [`add element inet agent_fleet ${set} { ${values.join(", ")} }`];
}
