import { storedResources, type StoredResource } from "./backend";
import { resourceName } from "./events";
import type { Engine } from "./pulumi";
import { say } from "./say";

/**
 * Firewall rules that were loaded and, as the run ended there, never confirmed: the host has taken them back by now,
 * while the state says that they are there. The next plan loads them again. Costs one file read.
 */
export async function loadUnconfirmed(engine: Engine, stack: string): Promise<void> {
  const resources = storedResources(engine.env["PULUMI_BACKEND_URL"], stack) ?? [];
  const steps = unconfirmedSteps(resources);
  if (steps.length === 0) return;
  const hosts = steps.map((name) => name.replace(/-host-firewall-apply$/, ""));
  say(
    `stack ${stack}: the firewall rules of ${hosts.join(", ")} were not confirmed; they are planned to be loaded again`,
  );
  const { storeMarksOf } = await import("./mark");
  await storeMarksOf(engine, stack, steps);
}

/** Names of the steps that loaded rules which no second step has confirmed. */
export function unconfirmedSteps(resources: readonly StoredResource[]): string[] {
  const commands = new Map(
    resources
      .filter(({ type }) => type === "command:remote:Command")
      .map(({ urn, inputs }) => [resourceName(urn), String(inputs?.["create"])]),
  );
  return [...commands].flatMap(([name, create]) => {
    const [, host] = /^(.*)-host-firewall-apply$/.exec(name) ?? [];
    const [, id = ""] = / apply \S+ ([0-9a-f]{64}) /.exec(create) ?? [];
    const confirmed = commands.get(`${host ?? ""}-host-firewall-confirm`) ?? "";
    return host === undefined || id === "" || confirmed.includes(` confirm ${id} `) ? [] : [name];
  });
}
