import type { Connections } from "./connect";
import type { Context } from "./context";
import { checkNames } from "./names";
import { Failure } from "./say";

/**
 * The connections with those agents alone that a command line means: the named ones, those on the hosts of `--host`,
 * or all where it says neither.
 * @throws Failure for names that are not known, before any host is asked
 */
export function chosen(
  connections: Connections,
  { stack, args, options }: Pick<Context, "stack" | "args" | "options">,
): Connections {
  const { outputs } = connections;
  checkNames("agent", args, Object.keys(outputs.agents), stack);
  const hosts = hostsOf(options);
  checkNames("host", hosts ?? [], Object.keys(outputs.hosts), stack);
  const isOn = (host: string): boolean => hosts?.includes(host) ?? true;
  const elsewhere = args.filter((name) => !isOn(outputs.agents[name]?.host ?? ""));
  if (elsewhere.length > 0) {
    throw new Failure(
      `agent ${elsewhere.join(", ")}: not on ${String(hosts?.join(", "))}, got both; name the agents, or the hosts alone`,
    );
  }
  const agents = Object.entries(outputs.agents).filter(
    ([name, { host }]) => isOn(host) && (args.length === 0 || args.includes(name)),
  );
  return { ...connections, outputs: { ...outputs, agents: Object.fromEntries(agents) } };
}

function hostsOf({ host }: Context["options"]): string[] | undefined {
  return typeof host === "string" ? host.split(",").filter((name) => name !== "") : undefined;
}
