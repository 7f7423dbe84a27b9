import { agentsOn, askHost, hostsWithAgents, rootCommand } from "./ask";
import type { Connections } from "./connect";
import { agentLine } from "./json-line";
import { table } from "./table";

/** One difference between a host and what was deployed there. */
export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  /** UTC; empty where the host does not tell. */
  readonly changedAt: string;
  readonly changedBy: string;
}

export interface Drift {
  readonly agent: string;
  readonly host: string;
  readonly differences: readonly Difference[];
  /** Why the agent could not be looked at. */
  readonly unknown?: string;
}

/** How long one host may take, in ms: it reads the folders of every release in use. */
const DEADLINE_MS = 60_000;

/** Asks every host at once. Hosts change nothing. */
export async function askDrift(connections: Connections): Promise<Drift[]> {
  const hosts = hostsWithAgents(connections.outputs);
  const answers = hosts.map(async (host) => {
    const command = rootCommand(connections.outputs, host, "verify");
    const { text, reason } = await askHost(connections, host, command, DEADLINE_MS);
    const agents = agentsOn(connections.outputs, host).map(([agent]) => agent);
    return driftOf(host, agents, text, reason);
  });
  return (await Promise.all(answers)).flat();
}

interface Report {
  readonly agent: string;
  readonly drift: readonly Difference[];
  readonly busy?: boolean;
}

/** The drift of a host's agents from the lines of `bin/verify`; other lines are passed over. */
export function driftOf(
  host: string,
  agents: readonly string[],
  text: string,
  reason: string | undefined,
): Drift[] {
  const reports = new Map(text.split("\n").flatMap(toReport));
  return agents.map((agent) => {
    const report = reports.get(agent);
    if (report?.busy === true) {
      return { agent, host, differences: [], unknown: "an activation is at work on it" };
    }
    if (report !== undefined) return { agent, host, differences: report.drift };
    if (reason !== undefined && !/not found|No such file/i.test(reason))
      return { agent, host, differences: [], unknown: reason };
    // Neither the agent nor, it may be, the script that was to look at it.
    const gone = { expected: "there", found: "missing", changedAt: "", changedBy: "" };
    return { agent, host, differences: [{ what: "the agent", ...gone }] };
  });
}

function toReport(line: string): [string, Report][] {
  const report = agentLine(line) as Partial<Report> | undefined;
  return report?.agent !== undefined && Array.isArray(report.drift)
    ? [[report.agent, report as Report]]
    : [];
}

/** What differs, as a table, and what could not be looked at. */
export function renderDrift(drift: readonly Drift[]): string {
  const rows = drift.flatMap(({ agent, host, differences }) =>
    differences.map(({ what, expected, found, changedAt, changedBy }) => [
      ...[agent, host, what, expected, found],
      ...[changedAt, changedBy],
    ]),
  );
  const unknown = drift.flatMap(({ agent, host, unknown: why }) =>
    why === undefined ? [] : [`${agent} on ${host}: not looked at: ${why}`],
  );
  const heading = ["agent", "host", "what", "expected", "found", "changed", "by"];
  return [...(rows.length === 0 ? [] : [table(heading, rows)]), ...unknown].join("\n");
}
