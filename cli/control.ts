/** Restarting, stopping, starting or draining agents wave after wave, by the script `control` on their hosts. */
import { Queue } from "../components/remote/queue";
import { asRoot, serviceOf } from "./ask";
import type { Connections } from "./connect";
import { agentLine } from "./json-line";
import { prefixes } from "./names";
import type { AgentOutput, Drained } from "./outputs";
import { runLines } from "./remote-lines";
import { print, say } from "./say";
import { seconds, tellDrain, tellRestart } from "./summary";

export type Verb = "restart" | "stop" | "start" | "drain";

export interface Plan {
  readonly verb: Verb;
  /** Names of agents. */
  readonly waves: readonly (readonly string[])[];
  /** Between two waves. */
  readonly pauseSeconds: number;
  /** False: jobs are not waited for. */
  readonly drains: boolean;
  readonly asJson: boolean;
}

/** What a host says of an agent. */
interface Report extends Drained {
  readonly agent: string;
  /** False: there was nothing to do. */
  readonly changed: boolean;
}

/** Wave after wave, until an agent fails. Exit code 1 then; those of the waves behind it are not touched. */
export async function control(connections: Connections, plan: Plan): Promise<number> {
  const { waves, pauseSeconds } = plan;
  const names = prefixes(waves.flat());
  for (const [index, wave] of waves.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, pauseSeconds * 1000));
    if (await controlWave(connections, wave, plan, names)) continue;
    const rest = waves.slice(index + 1).flat();
    if (rest.length > 0) say(`not touched, as one before them has failed: ${rest.join(", ")}`);
    return 1;
  }
  return 0;
}

/** At the same time, but for those that come behind others on a busy host. Gives whether all went well. */
async function controlWave(
  connections: Connections,
  wave: readonly string[],
  plan: Plan,
  names: ReadonlyMap<string, string>,
): Promise<boolean> {
  const queues = new Map<string, Queue<Promise<boolean>>>();
  const all = wave.map((agent) => {
    const host = connections.outputs.agents[agent]?.host ?? "";
    const queue = queues.get(host) ?? new Queue<Promise<boolean>>();
    queues.set(host, queue);
    const turn = Promise.all(queue.before([])).then(() =>
      controlAgent(connections, agent, plan, names.get(agent) ?? ""),
    );
    queue.add(turn, []);
    return turn;
  });
  return (await Promise.all(all)).every(Boolean);
}

/** Shows what its host reports, or why it failed, in the host's words. Gives whether it went well. */
async function controlAgent(
  connections: Connections,
  agent: string,
  { verb, drains, asJson }: Plan,
  prefix: string,
): Promise<boolean> {
  const { outputs } = connections;
  const output = outputs.agents[agent];
  if (output === undefined) return false;
  const { host } = output;
  const options = ["--attended", ...(drains ? [] : ["--no-drain"])];
  const words = [`/opt/${serviceOf(output)}/bin/control`, verb, agent, ...options];
  let report: Report | undefined;
  const complaints: string[] = [];
  const complain = (line: string): void => {
    complaints.push(line);
    say(prefix + line);
  };
  const { code } = await runLines(connections, host, asRoot(outputs, host, words.join(" ")), {
    // So that the host learns of an operator who has gone while it waits for jobs.
    keepInput: true,
    onLine(line, stream) {
      if (stream === "stdout") report = (agentLine(line) as Report | undefined) ?? report;
      else complain(line);
    },
  });
  if (code === 0 && report !== undefined) {
    print(asJson ? JSON.stringify({ ...report, host }) : prefix + TELL[verb](report, output));
    return true;
  }
  complain(`${verb} failed on ${host}; exit code ${String(code)}`);
  if (complaints.some((line) => /control: (command )?not found/.test(line))) {
    complain("this host was set up by an older version; run ./fleet up first");
  }
  if (asJson) print(JSON.stringify({ agent, host, error: complaints.join("\n") }));
  return false;
}

const TELL: Readonly<Record<Verb, (report: Report, output: AgentOutput) => string>> = {
  restart: (report, output) =>
    tellRestart({ ...output, activation: { ...report, restarted: true } }),
  start: ({ changed, gapSeconds }) =>
    changed ? `available after ${seconds(gapSeconds)}` : "runs already",
  stop: (report) =>
    report.changed ? `stopped ${tellDrain(report)}`.trimEnd() : "is stopped already",
  drain: (report) =>
    report.drain === "none" ? "has no jobs to wait for" : `${report.drain} ${tellDrain(report)}`,
};
