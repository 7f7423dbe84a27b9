/**
 * One agent on a host. Its activation is one transaction in one SSH session:
 *   1. env file (600, the service user's), unit and links are staged beside the live ones;
 *   2. they are switched, the unit is restarted, its health is polled on loopback until the deadline;
 *   3. if it does not become available, the previous release, env file and unit are put back and the
 *      step fails with the layer, the cause and the journal's last lines.
 * The activation is never replaced: every change updates it in place, and its delete is the uninstall.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { payload } from "../remote/payload";
import { remoteStep } from "../remote/step";
import type { Sensitive } from "../sensitive";
import { assignments } from "./assignments";
import { renderEnvFile } from "./env-file";
import { hostScript, hostScriptIfThere } from "./host-scripts";
import type { Profile } from "./profile";
import type { RuntimeName } from "./runtimes";
import { renderDropIn, type Limits } from "./unit";

export interface AgentArgs {
  readonly host: Host;
  readonly agent: string;
  readonly profile: Profile;
  /** Text of the unit template that all agents of the service share. */
  readonly unit: string;
  readonly runtime: { readonly name: RuntimeName; readonly id: string };
  /** Id of the release to run. */
  readonly release: string;
  /** TCP port. */
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, Sensitive>>;
  readonly limits: Limits;
  /** Seconds until the agent must be available. */
  readonly healthTimeoutSeconds: number;
  /** False: installed, stopped and disabled. */
  readonly enabled: boolean;
  readonly keepReleases: number;
  /** True: delete removes the agent's state too. */
  readonly purgeData: boolean;
  /** Seconds to wait before the agent is touched, where there is something to do. */
  readonly pauseSeconds: number;
  /** Set-up, runtime and release on the host, and the wave before. */
  readonly after: readonly pulumi.Resource[];
}

/** Staging, stopping and the way back take this long at most, beside twice the health timeout. */
const SWITCH_SECONDS = 180;

export class Agent extends pulumi.ComponentResource {
  /** `available`, or `disabled`; as the host reported it at the last activation. */
  readonly health: pulumi.Output<string>;
  readonly done: pulumi.Resource;

  constructor(name: string, args: AgentArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:Agent", name, {}, options);
    const { host, agent, profile } = args;
    const { service } = profile;
    const purge = args.purgeData ? ["--purge"] : [];
    const activation = remoteStep(
      `${name}-activation`,
      {
        connection: host.connection,
        machine: host.machine,
        run: hostScript(service, "activate", [agent]),
        undo: hostScriptIfThere(service, "uninstall", ["agent", agent, host.name, ...purge]),
        stdin: activationPayload(args),
        timeoutSeconds: args.pauseSeconds + 2 * args.healthTimeoutSeconds + SWITCH_SECONDS,
      },
      {
        parent: this,
        dependsOn: [...args.after],
        ...(host.ownedBy === undefined ? {} : { deletedWith: host.ownedBy }),
      },
    );
    this.health = pulumi.unsecret(activation.stdout).apply(reportedState);
    this.done = activation;
    this.registerOutputs({ health: this.health });
  }
}

/** Env file, unit and settings of the activation, for the script's stdin. */
async function activationPayload(args: AgentArgs): Promise<string> {
  const secrets = Object.entries(args.secrets).map(
    ([name, value]) => [name, value.reveal()] as const,
  );
  return payload({
    env: { content: renderEnvFile({ ...args.env, ...Object.fromEntries(secrets) }) },
    unit: { content: args.unit },
    dropin: { content: renderDropIn(args.profile, args.runtime.name, args.limits) },
    "activation.conf": {
      content: assignments({
        OWNER: args.host.name,
        HOST: args.host.name,
        RELEASE: args.release,
        RUNTIME: args.runtime.id,
        PORT: String(args.port),
        ENABLED: args.enabled ? "yes" : "no",
        DEADLINE: String(args.healthTimeoutSeconds),
        KEEP_RELEASES: String(args.keepReleases),
        ...(args.pauseSeconds === 0 ? {} : { PAUSE: String(args.pauseSeconds) }),
        SECRET_NAMES: Object.keys(args.secrets).sort().join(" "),
      }),
    },
  });
}

/** The last line of the activation's output is its result. */
function reportedState(stdout: string): string {
  const result: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}");
  return typeof result === "object" && result !== null && "state" in result
    ? String(result.state)
    : "unknown";
}
