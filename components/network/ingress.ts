/** What a host's tunnel leads to: a hostname for each agent, its port on loopback, and nothing else. */

/** Where cloudflared says on loopback how it is; the unit and its script have the same number. */
export const METRICS_PORT = 20250;

export interface TunnelledAgent {
  readonly name: string;
  /** TCP port. */
  readonly port: number;
}

export interface Ingress {
  /** @default - every hostname that no rule before has */
  readonly hostname?: string;
  readonly service: string;
}

export function hostname(agent: string, domain: string): string {
  return `${agent}.${domain}`;
}

/** The rules in cloudflared's order: the first that fits wins, and the last must fit everything. */
export function ingresses(agents: readonly TunnelledAgent[], domain: string): Ingress[] {
  return [
    ...agents.map(({ name, port }) => ({
      hostname: hostname(name, domain),
      service: `http://127.0.0.1:${String(port)}`,
    })),
    { service: "http_status:404" },
  ];
}
