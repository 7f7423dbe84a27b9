import { serviceOf } from "./ask";
import type { Drift } from "./drift";
import { resourceName } from "./events";
import type { Outputs } from "./outputs";
import { askPulumi } from "./pulumi";
import type { Engine } from "./pulumi";

/** The part of `pulumi stack export` that marks touch. */
export interface State {
  readonly deployment: { readonly resources?: readonly Resource[] };
}

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

const COMMAND = "command:remote:Command";
const UPLOAD = "command:remote:CopyToRemote";

/**
 * Writes into the stored state that what is on the hosts is not what was deployed, so that the next `up` plans and
 * does those steps again, in place; see docs/decisions/0007-drift-is-marked-in-the-state.md. Secrets in the export
 * stay encrypted, and it never touches the disk.
 */
export async function storeMarks(
  engine: Engine,
  stack: string,
  outputs: Outputs,
  drift: readonly Drift[],
): Promise<number> {
  return await changeState(engine, stack, (state) => mark(state, outputs, drift));
}

/**
 * The same for archives that were sent and could not be unpacked, by the URNs of the failed steps: they are gone
 * from the host, and what it has said of them may no longer be true.
 */
export async function storeUnsent(
  engine: Engine,
  stack: string,
  failed: readonly string[],
): Promise<void> {
  const unpacks = failed.filter((urn) => /-unpack$/.test(resourceName(urn)));
  if (unpacks.length === 0) return;
  await changeState(engine, stack, (state) => markUnsent(state, unpacks));
}

/** Marks these steps alone, by their names in the program. */
export async function storeMarksOf(
  engine: Engine,
  stack: string,
  names: readonly string[],
): Promise<void> {
  await changeState(engine, stack, (state) => markNamed(state, names));
}

async function changeState(
  engine: Engine,
  stack: string,
  change: (state: State) => number,
): Promise<number> {
  const state = JSON.parse(await askPulumi(engine, ["stack", "export", "--stack", stack])) as State;
  const count = change(state);
  if (count > 0) {
    const input = JSON.stringify(state);
    await askPulumi(engine, ["stack", "import", "--stack", stack], { input });
  }
  return count;
}

/** Marks the steps that repair the drift, and says how many there are. */
export function mark(state: State, outputs: Outputs, drift: readonly Drift[]): number {
  const resources = state.deployment.resources ?? [];
  const wanted = drift.filter(({ differences }) => differences.length > 0);
  return markAll(
    resources.filter((resource) =>
      wanted.some((entry) => repairs(resource, entry, outputs, resources)),
    ),
  );
}

/** Marks the steps before these: the offer and the upload. */
export function markUnsent(state: State, unpacks: readonly string[]): number {
  const before = unpacks.flatMap((urn) =>
    ["offer", "upload"].map((role) => resourceName(urn).replace(/unpack$/, role)),
  );
  return markNamed(state, before);
}

function markNamed({ deployment }: State, names: readonly string[]): number {
  return markAll(
    (deployment.resources ?? []).filter(({ urn }) => names.includes(resourceName(urn))),
  );
}

function markAll(steps: readonly Resource[]): number {
  for (const { type, inputs, outputs: results } of steps) {
    for (const values of [inputs, results]) {
      if (values === undefined) continue;
      if (type === UPLOAD) values["triggers"] = [DRIFTED];
      else values["create"] = marked(values["create"]);
    }
  }
  return steps.length;
}

/** What the program never asks for. */
const DRIFTED = "drifted, to be done again";

function marked(command: unknown): string {
  if (typeof command !== "string") return DRIFTED;
  return command.endsWith(DRIFTED) ? command : `${command} ${DRIFTED}`;
}

function repairs(
  resource: Resource,
  { agent, host, differences }: Drift,
  outputs: Outputs,
  all: readonly Resource[],
): boolean {
  const output = outputs.agents[agent];
  const name = resourceName(resource.urn);
  if (resource.type === COMMAND && name === `${agent}@${host}-activation`) return true;
  if (output === undefined || !isOn(host, resource, all)) return false;
  const service = serviceOf(output);
  const has = (pattern: RegExp): boolean => differences.some(({ what }) => pattern.test(what));
  // Only the set-up of a service makes its user, and only an archive brings back what was edited.
  if (has(/^(service user|the agent)$/) && setsUp(service, resource)) return true;
  if (has(/^host firewall$/) && closesPorts(resource)) return true;
  if (has(/^tunnel$/) && runsTunnel(resource)) return true;
  // One that runs from a program that is brought anew has to be restarted.
  if (
    has(/^unit .+\.service$|^runtime file|^the agent$/) &&
    brings(service, "bring-unit", resource)
  )
    return true;
  if (has(/^tool |^the agent$/) && brings(service, "bring-tool", resource)) return true;
  const brought = [
    ...(has(/^release file|^the agent$/) ? [`release ${output.release}`] : []),
    ...(has(/^runtime file|^the agent$/) ? ["runtime"] : []),
  ];
  return brought.some((what) => delivers(service, what, resource, all));
}

function setsUp(service: string, { type, inputs }: Resource): boolean {
  return (
    type === COMMAND && String(inputs?.["delete"]).includes(`/opt/${service}/bin/uninstall host `)
  );
}

/** The units and tools that come beside the agents. */
function brings(
  service: string,
  script: "bring-unit" | "bring-tool",
  { type, inputs }: Resource,
): boolean {
  return type === COMMAND && String(inputs?.["create"]).includes(`/opt/${service}/bin/${script} `);
}

/** The two steps of the host firewall: the rules, and the connection that confirms them. */
function closesPorts({ type, urn }: Resource): boolean {
  return type === COMMAND && /-host-firewall-(apply|confirm)$/.test(resourceName(urn));
}

/** cloudflared, and the service that it is. */
function runsTunnel({ type, urn }: Resource): boolean {
  return (
    [COMMAND, UPLOAD].includes(type) && /-tunnel-cloudflared(-upload)?$/.test(resourceName(urn))
  );
}

/** The steps that offer and unpack it, and the upload beside them. */
function delivers(
  service: string,
  what: string,
  resource: Resource,
  all: readonly Resource[],
): boolean {
  const does = (script: string, { type, inputs }: Resource): boolean =>
    type === COMMAND &&
    [inputs?.["create"], inputs?.["update"]].some((command) =>
      String(command).includes(`/opt/${service}/bin/${script} ${what} `),
    );
  return resource.type === UPLOAD
    ? all.some((other) => other.parent === resource.parent && does("unpack", other))
    : does("offer", resource) || does("unpack", resource);
}

/** Whether it is below the host in the tree. */
function isOn(host: string, resource: Resource, all: readonly Resource[]): boolean {
  const parent = all.find(({ urn }) => urn === resource.parent);
  if (parent === undefined) return false;
  const isHost = parent.type.startsWith("agent-fleet:host:");
  return isHost ? parent.urn.endsWith(`::${host}`) : isOn(host, parent, all);
}
