/** What destroy could not remove, why, how a person does it, and how the stack lets go of it. */
import type { StoredResource } from "./backend";
import { resourceName } from "./events";
import { CONNECTED } from "./tunnels";

/** A machine that existed before the stack and that could not be cleaned. */
export interface Uncleaned {
  readonly host: string;
  readonly reason: string;
  /** Whether the machine is the reason, and not something that went wrong on it or here. */
  readonly hostFault: boolean;
  /** `ops@203.0.113.7`, where it is known. */
  readonly login: string | undefined;
  /** The command lines of the uninstall, in their order. */
  readonly byHand: readonly string[];
}

const EXISTING_MACHINE = "agent-fleet:host:SshHost";

/** First that fits wins. What the operator's own side lacks comes first: it says nothing about the host. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string | undefined])[] = [
  [/dial unix |no key found|passphrase protected/, undefined],
  [
    /sudo: .*(password is required|terminal is required|not in the sudoers|not allowed|may not run)/i,
    "its user may not use sudo without a password any more",
  ],
  [
    /host key mismatch|no common algorithm for host key/,
    "its host key is another one: it was installed anew, or it is another machine",
  ],
  [
    CONNECTED,
    "its cloudflared still runs, so that Cloudflare keeps the tunnel; stop it there, or delete the tunnel in Cloudflare's dashboard",
  ],
  [/unable to authenticate/, "it does not let the stack's key in any more"],
  [/no such host/, "its name is not known any more"],
  [/connection refused/, "it refuses the connection"],
  [
    /dial tcp|i\/o timeout|no route to host|network is unreachable|handshake failed|deadline exceeded/,
    "it cannot be reached",
  ],
];

/** Why the machine is to blame for a failed step; undefined where it is not, or not surely. */
export function hostFault(message: string): string | undefined {
  return REASONS.find(([pattern]) => pattern.test(message))?.[1];
}

/** The existing machines on which steps failed, each once. */
export function uncleaned(
  resources: readonly StoredResource[],
  failures: ReadonlyMap<string, string>,
): Uncleaned[] {
  return existingMachines(resources).flatMap((machine): Uncleaned[] => {
    const own = family(resources, machine.urn);
    const messages = [...failures].flatMap(([urn, message]) => (own.has(urn) ? [message] : []));
    if (messages.length === 0) return [];
    const fault = messages.map(hostFault).find((reason) => reason !== undefined);
    return [
      {
        host: resourceName(machine.urn),
        reason: fault ?? "its uninstall failed, see above",
        hostFault: fault !== undefined,
        login: loginOf(resources, resourceName(machine.urn)),
        byHand: resources
          .filter(({ urn }) => own.has(urn))
          .reverse()
          .flatMap(({ inputs }) => {
            const line = inputs?.["delete"];
            return typeof line === "string" ? [line.replace(/ # on machine .*$/, "")] : [];
          }),
      },
    ];
  });
}

/** Names of the existing machines that the stack knows. */
export function forgettable(resources: readonly StoredResource[]): string[] {
  return existingMachines(resources).map(({ urn }) => resourceName(urn));
}

/** What the operator reads of a machine that could not be cleaned. */
export function tell({ host, reason, login, byHand }: Uncleaned): string {
  const place = login ?? host;
  return [
    `${host} is not cleaned: ${reason}`,
    ...(byHand.length === 0
      ? []
      : [
          `  what may still be there is removed by hand with these lines, on ${place}:`,
          ...byHand.map((line) => `    ${line}`),
        ]),
  ].join("\n");
}

/** One call of `pulumi state delete`. */
export interface StateDelete {
  readonly urn: string;
  /** Together with all that depends on it. */
  readonly withDependents: boolean;
}

/**
 * How the state lets go of these machines: each resource after all that depend on it, and none that
 * anything else still depends on. Gates of the rollout hold nothing and may go with them.
 */
export function forgetPlan(
  resources: readonly StoredResource[],
  hosts: readonly string[],
): StateDelete[] {
  const machines = existingMachines(resources).filter(({ urn }) =>
    hosts.includes(resourceName(urn)),
  );
  const own = new Set(machines.flatMap(({ urn }) => [...family(resources, urn)]));
  const users = usersOf(resources);
  const gone = new Set<string>();
  for (const { urn } of [...resources].reverse()) {
    const free = (users.get(urn) ?? []).every((user) => gone.has(user));
    if (free && (own.has(urn) || isGate(urn))) gone.add(urn);
  }
  // Each call costs half a second: a machine that goes as a whole goes by one.
  const closures = machines.map(({ urn }) => ({ urn, all: withUsers(resources, urn) }));
  const whole = closures.filter(({ all }) => [...all].every((urn) => gone.has(urn)));
  const covered = new Set(whole.flatMap(({ all }) => [...all]));
  const singly =
    whole.length === machines.length ? [] : [...gone].filter((urn) => !covered.has(urn));
  return [
    ...whole.map(({ urn }) => ({ urn, withDependents: true })),
    ...singly.map((urn) => ({ urn, withDependents: false })),
  ];
}

/** Protected resources by what an operator does about each. */
export function protectedBy(resources: readonly StoredResource[], stack: string): string[] {
  const parents = new Map(resources.map(({ urn, parent }) => [urn, parent]));
  const types = new Map(resources.map(({ urn, type }) => [urn, type]));
  const hostOf = (urn: string | undefined): string | undefined =>
    urn === undefined || types.get(urn)?.startsWith("agent-fleet:host:") === true
      ? urn
      : hostOf(parents.get(urn));
  return resources
    .filter(({ protect }) => protect === true)
    .map(({ urn }) => {
      const host = hostOf(urn);
      return host === undefined
        ? `${resourceName(urn)} is protected; to allow it: ./fleet state unprotect '${urn}' -s ${stack}`
        : `${resourceName(host)} is protected; to allow it, take \`protect: true\` away from hosts.${resourceName(host)} in Pulumi.${stack}.yaml and run ./fleet up -s ${stack}`;
    });
}

function existingMachines(resources: readonly StoredResource[]): readonly StoredResource[] {
  return resources.filter(({ type }) => type === EXISTING_MACHINE);
}

/** A resource and all that it is the parent of, at any depth. */
function family(resources: readonly StoredResource[], root: string): Set<string> {
  const own = new Set([root]);
  // Parents stand before their children.
  for (const { urn, parent } of resources) {
    if (parent !== undefined && own.has(parent)) own.add(urn);
  }
  return own;
}

/** A resource and all that depend on it, at any depth. */
function withUsers(resources: readonly StoredResource[], root: string): Set<string> {
  const found = new Set([root]);
  for (const resource of resources) {
    if (dependsOn(resource).some((urn) => found.has(urn))) found.add(resource.urn);
  }
  return found;
}

/** By each resource those that depend on it directly. */
function usersOf(resources: readonly StoredResource[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const resource of resources) {
    for (const urn of dependsOn(resource)) {
      const known = users.get(urn) ?? [];
      known.push(resource.urn);
      users.set(urn, known);
    }
  }
  return users;
}

function dependsOn({
  parent,
  dependencies = [],
  propertyDependencies = {},
  deletedWith,
}: StoredResource): string[] {
  const properties = Object.values(propertyDependencies).flatMap((urns) => urns ?? []);
  return [parent, deletedWith, ...dependencies, ...properties].filter((urn) => urn !== undefined);
}

/** What stacks/rollout.ts puts between two waves. */
function isGate(urn: string): boolean {
  return /::command:local:Command::after-wave-\d+$/.test(urn);
}

function loginOf(resources: readonly StoredResource[], host: string): string | undefined {
  const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const { hosts = {} } = (stack?.outputs ?? {}) as {
    readonly hosts?: Readonly<
      Record<string, { readonly user?: unknown; readonly address?: unknown }>
    >;
  };
  const { user, address } = hosts[host] ?? {};
  return typeof user === "string" && typeof address === "string" ? `${user}@${address}` : undefined;
}
