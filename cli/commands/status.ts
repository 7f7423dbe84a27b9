import { agentsOn, asRoot, askHost, hostsWithAgents, rootCommand } from "../ask";
import { withConnections } from "../connect";
import type { Connections } from "../connect";
import type { Context } from "../context";
import { failedLayer, hostnameProblem } from "../layers";
import type { Outputs } from "../outputs";
import { engineFor } from "../pulumi";
import { print } from "../say";
import { readStackFile } from "../stack-file";
import { table } from "../table";

/** One agent as its host tells it now. */
export interface AgentStatus {
  readonly agent: string;
  readonly host: string;
  /** available, full, disabled, …; absent: not on the host; unreachable: the host does not answer */
  readonly state: string;
  readonly release: string;
  /** Empty where it has no port. */
  readonly url: string;
  /** When the unit entered its state. */
  readonly since: string;
  readonly restarts: number | null;
  /** Why the host could not be asked. */
  readonly reason?: string;
  /** The first layer that does not work, of an agent behind a tunnel: unit, health, tunnel or hostname. */
  readonly failed?: string;
}

const TUNNEL = "/opt/agent-fleet-tunnel/bin/tunnel";

/** How long one host may take to answer, in ms. */
const DEADLINE_MS = 10_000;

/** Asks every host at once. Exit code 0 if each agent is available, full or disabled, else 1. */
export async function run({ stack, options }: Context): Promise<number> {
  const engine = await engineFor(readStackFile(stack));
  const agents = await withConnections(engine, stack, async (connections) => {
    const hosts = hostsWithAgents(connections.outputs);
    return (await Promise.all(hosts.map((host) => statusOf(connections, host)))).flat();
  });
  print(options["json"] === true ? JSON.stringify(agents, null, 2) : render(agents, stack));
  const isWell = ({ state, failed }: AgentStatus): boolean =>
    /^(available|full|disabled)$/.test(state) && failed === undefined;
  return agents.every(isWell) ? 0 : 1;
}

export function render(agents: readonly AgentStatus[], stack: string): string {
  if (agents.length === 0)
    return `stack ${stack} has no agents; bring it up with: ./fleet up -s ${stack}`;
  const rows = agents.map(({ agent, host, state, release, url, since, restarts }) => [
    agent,
    host,
    state,
    release.slice(0, 12),
    url,
    since,
    restarts === null ? "" : String(restarts),
  ]);
  const reasons = agents.flatMap(({ host, reason }) =>
    reason === undefined ? [] : [`${host}: ${reason}`],
  );
  const failures = agents.flatMap(({ agent, failed }) =>
    failed === undefined ? [] : [`${agent}: ${failed}`],
  );
  const text = table(["agent", "host", "state", "release", "url", "since", "restarts"], rows);
  return [text, ...new Set(reasons), ...failures].join("\n");
}

/** The tunnel, where there is one, and the agents: last, so that the command ends as their script does. */
export function statusCommand(outputs: Outputs, host: string): string {
  const check = asRoot(outputs, host, `${TUNNEL} check`);
  const tunnel = `[ ! -e ${TUNNEL} ] || { printf tunnel:; ${check}; echo; }`;
  return `${tunnel}; ${rootCommand(outputs, host, "status")}`;
}

async function statusOf(connections: Connections, host: string): Promise<AgentStatus[]> {
  const agents = agentsOn(connections.outputs, host);
  const command = statusCommand(connections.outputs, host);
  const answer = await askHost(connections, host, command, DEADLINE_MS);
  const reports = parseReports(answer.text);
  const ofAgents = agents.map(async ([agent, { url = "" }]) => {
    const report = reports.get(agent);
    const isSilent = report === undefined && answer.reason !== undefined;
    const state = report?.state ?? (answer.reached ? "absent" : "unreachable");
    const failed =
      report === undefined || !isPublic(url)
        ? undefined
        : failedLayer({
            active: report.active,
            state,
            tunnel: /^tunnel:(.+)$/m.exec(answer.text)?.[1],
            hostname: await hostnameProblem(url, connections.outputs.access),
          });
    return {
      agent,
      host,
      state,
      release: report?.release ?? "",
      url,
      since: report?.since ?? "",
      restarts: report?.restarts ?? null,
      ...(isSilent ? { reason: answer.reason } : {}),
      ...(failed === undefined ? {} : { failed }),
    };
  });
  return await Promise.all(ofAgents);
}

/** Its hostname at Cloudflare; all other URLs are addresses. */
function isPublic(url: string): boolean {
  return url.startsWith("https://");
}

interface Report {
  readonly agent: string;
  readonly active?: string;
  readonly state?: string;
  readonly release?: string;
  readonly since?: string;
  readonly restarts?: number;
}

/** The JSON lines of `bin/status`, by agent; other lines (a login banner) are passed over. */
export function parseReports(text: string): ReadonlyMap<string, Report> {
  const reports = text.split("\n").flatMap((line) => {
    try {
      const value = JSON.parse(line) as Partial<Report> | null;
      return typeof value?.agent === "string" ? [value as Report] : [];
    } catch {
      return [];
    }
  });
  return new Map(reports.map((report) => [report.agent, report]));
}
