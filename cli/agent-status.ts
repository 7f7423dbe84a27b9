import { agentsOn, asRoot, askHost, hostsWithAgents, rootCommand } from "./ask";
import type { Connections } from "./connect";
import { agentLine } from "./json-line";
import { failedLayer, hostnameProblem } from "./layers";
import type { AgentOutput, Outputs } from "./outputs";

/** One agent as its host tells it now. */
export interface AgentStatus {
  readonly agent: string;
  readonly host: string;
  /** available, full, stopped, disabled, …; absent: not on the host; unreachable: the host does not answer */
  readonly state: string;
  /** As the profile's health tells it; null where it does not. */
  readonly jobs: number | string | null;
  readonly release: string;
  readonly url: string;
  /** When the unit entered its state. */
  readonly since: string;
  readonly restarts: number | null;
  /** Bytes. */
  readonly memory: number | null;
  /** Percent of the disk that holds the agents' state. */
  readonly diskFree: number | null;
  /** `connected`, or why it is not; null where the host has none, or was not reached. */
  readonly tunnel: string | null;
  /** Why the host could not be asked. */
  readonly reason?: string;
  /** The first layer that does not work, of an agent behind a tunnel: unit, health, tunnel or hostname. */
  readonly failed?: string;
}

/** Of a tunnel with which nothing is wrong. */
export const CONNECTED = "connected";

const TUNNEL = "/opt/agent-fleet-tunnel/bin/tunnel";

/** Nothing has to be done about it. */
export function isWell({ state, failed }: Pick<AgentStatus, "state" | "failed">): boolean {
  return /^(available|full|disabled)$/.test(state) && failed === undefined;
}

/** How long one host may take to answer, in ms. */
const DEADLINE_MS = 10_000;

/** Asks every host at once. */
export async function askAgents(connections: Connections): Promise<AgentStatus[]> {
  const hosts = hostsWithAgents(connections.outputs);
  return (await Promise.all(hosts.map((host) => statusOf(connections, host)))).flat();
}

/** The tunnel, where there is one, and the agents: last, so that the command ends as their script does. */
export function statusCommand(outputs: Outputs, host: string): string {
  const check = asRoot(outputs, host, `${TUNNEL} check`);
  const tunnel = `[ ! -e ${TUNNEL} ] || { printf tunnel:; ${check}; echo; }`;
  return `${tunnel}; ${rootCommand(outputs, host, "status")}`;
}

async function statusOf(connections: Connections, host: string): Promise<AgentStatus[]> {
  const { outputs } = connections;
  const answer = await askHost(connections, host, statusCommand(outputs, host), DEADLINE_MS);
  const reports = parseReports(answer.text);
  // What is wrong with it; nothing where it is connected.
  const problem = /^tunnel:(.*)$/m.exec(answer.text)?.[1];
  const tunnel = problem === "" ? CONNECTED : (problem ?? null);
  return await Promise.all(
    agentsOn(outputs, host).map(async ([agent, output]) => {
      const report = reports.get(agent);
      const isSilent = report === undefined && answer.reason !== undefined;
      const state = report?.state ?? (answer.reached ? "absent" : "unreachable");
      const failed =
        report === undefined || !isPublic(output)
          ? undefined
          : failedLayer({
              active: report.active,
              state,
              tunnel: problem === "" ? undefined : problem,
              hostname: await hostnameProblem(output, outputs.access),
            });
      return {
        agent,
        host,
        state,
        jobs: report?.jobs ?? null,
        release: report?.release ?? "",
        url: output.url ?? "",
        since: report?.since ?? "",
        restarts: report?.restarts ?? null,
        memory: report?.memory ?? null,
        diskFree: report?.diskFree ?? null,
        tunnel,
        ...(isSilent ? { reason: answer.reason } : {}),
        ...(failed === undefined ? {} : { failed }),
      };
    }),
  );
}

/** Its hostname at Cloudflare; all other URLs are addresses. */
function isPublic({ url }: AgentOutput): boolean {
  return url?.startsWith("https://") === true;
}

interface Report extends Partial<
  Pick<AgentStatus, "state" | "jobs" | "release" | "since" | "restarts" | "memory" | "diskFree">
> {
  readonly agent: string;
  /** systemd's ActiveState. */
  readonly active?: string;
}

/** The JSON lines of `bin/status`, by agent; other lines (a login banner) are passed over. */
export function parseReports(text: string): ReadonlyMap<string, Report> {
  const reports = text.split("\n").flatMap((line) => agentLine(line) ?? []);
  return new Map(reports.map((report) => [report.agent, report]));
}
