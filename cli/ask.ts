import type { Connections } from "./connect";
import type { AgentOutput, Outputs } from "./outputs";

/** What a host said to a command. */
export interface Answer {
  readonly text: string;
  /** Whether the command was run. */
  readonly reached: boolean;
  /** Why there is no answer, or what the command complained of. */
  readonly reason: string | undefined;
}

export function hostsWithAgents({ agents }: Outputs): string[] {
  return [...new Set(Object.values(agents).map(({ host }) => host))];
}

export function agentsOn({ agents }: Outputs, host: string): [string, AgentOutput][] {
  return Object.entries(agents).filter(([, agent]) => agent.host === host);
}

/** `tseeder-agent` of the unit `tseeder-agent@a`. */
export function serviceOf({ unit }: Pick<AgentOutput, "unit">): string {
  return unit.split("@")[0] ?? unit;
}

/** A command as root, whoever logs in there. */
export function asRoot(outputs: Outputs, host: string, command: string): string {
  return outputs.hosts[host]?.user === "root" ? command : `sudo -n ${command}`;
}

/** One of the scripts in /opt/<service>/bin as root, for each service with agents on the host. */
export function rootCommand(
  outputs: Outputs,
  host: string,
  script: string,
  args: readonly string[] = [],
): string {
  const services = [...new Set(agentsOn(outputs, host).map(([, agent]) => serviceOf(agent)))];
  return services
    .map((service) => [asRoot(outputs, host, `/opt/${service}/bin/${script}`), ...args].join(" "))
    .join("; ");
}

/** Runs a command on a host, without questions and within a time. Never throws. */
export async function askHost(
  connections: Connections,
  host: string,
  command: string,
  deadlineMs: number,
): Promise<Answer> {
  const child = connections.ssh(host, [command], {
    stdio: ["ignore", "pipe", "pipe"],
    batch: true,
  });
  let text = "";
  let errors = "";
  child.stdout?.on("data", (data: Buffer) => (text += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
  return await new Promise((resolve) => {
    const end = (reached: boolean, reason: string | undefined): void => {
      clearTimeout(timer);
      resolve({ text, reached, reason });
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      end(false, `no answer within ${String(deadlineMs / 1000)} s`);
    }, deadlineMs);
    child.on("error", ({ message }) => {
      end(false, message);
    });
    child.on("close", (code) => {
      const last = errors.trim().split("\n").at(-1) ?? "";
      // 255 is ssh's own; any other code is the command's.
      end(code !== 255 && code !== null, code === 0 ? undefined : last);
    });
  });
}
