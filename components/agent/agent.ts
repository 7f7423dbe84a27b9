/**
 * One agent on a host. Its activation is one transaction in one SSH session:
 *   1. env file (600, the service user's), config files, unit and links are staged beside the live ones;
 *   2. an agent that runs is given time to end its jobs (the profile's drain step);
 *   3. the staged files are switched, the unit is restarted, its health is polled on loopback until the deadline;
 *      an agent that is not registered yet is started with its one-time token before;
 *   4. if it does not become available, the previous release, env file and unit are put back and the
 *      step fails with the layer, the cause and the journal's last lines.
 * The activation is never replaced: every change updates it in place, and its delete is the uninstall.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { payload, type PayloadFile } from "../remote/payload";
import { remoteStep } from "../remote/step";
import type { Sensitive } from "../sensitive";
import { assignments } from "./assignments";
import { renderEnvFile } from "./env-file";
import { hostScript, hostScriptIfThere } from "./host-scripts";
import { configContent, placedFiles, type PlacedFile } from "./placed-files";
import { fillDefault, type Profile } from "./profile";
import { renderDropIn, renderRegistrationDropIn, type Limits } from "./unit";

export interface AgentArgs {
  readonly host: Host;
  readonly agent: string;
  readonly profile: Profile;
  /** Text of the unit template that all agents of the service share. */
  readonly unit: string;
  readonly runtime: { readonly name: string; readonly id: string };
  /** Id of the release to run. */
  readonly release: string;
  /** TCP port. @default - it listens nowhere */
  readonly port?: number | undefined;
  /** Every env variable that is not secret. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, Sensitive>>;
  readonly limits: Limits;
  /** Seconds until the agent must be available. */
  readonly healthTimeoutSeconds: number;
  /** Seconds that a running agent gets to end its jobs before it is stopped; 0 for none. */
  readonly drainSeconds: number;
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

/** What the last activation that changed or found the agent has reported. */
export interface Activation {
  /** `available`, or `disabled`. */
  readonly state: string;
  readonly restarted: boolean;
  /** Between stopping the old process and the first good answer of the new one. */
  readonly gapSeconds: number;
  /** How the wait for its jobs ended: none, idle, cap, skipped, ended or silent. */
  readonly drain: string;
  readonly drainedSeconds: number;
  /** The profile's drain field when the agent was stopped; null where it was not asked or did not say. */
  readonly jobsLeft: number | string | null;
}

/** Staging, stopping and the way back take this long at most, beside drain and the waits for health. */
const SWITCH_SECONDS = 180;

export class Agent extends pulumi.ComponentResource {
  /** `available`, or `disabled`; as the host reported it at the last activation. */
  readonly health: pulumi.Output<string>;
  readonly activation: pulumi.Output<Activation>;
  readonly done: pulumi.Resource;

  constructor(name: string, args: AgentArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:Agent", name, {}, options);
    const { host, agent, profile } = args;
    const { service } = profile;
    const purge = args.purgeData ? ["--purge"] : [];
    // For the new one and on the way back; to be registered and to be ready with the token before.
    const waits = profile.registration === undefined ? 2 : 4;
    const activation = remoteStep(
      `${name}-activation`,
      {
        on: host,
        run: hostScript(service, "activate", [agent]),
        since: host.started,
        undo: hostScriptIfThere(service, "uninstall", ["agent", agent, host.name, ...purge]),
        stdin: activationPayload(args),
        timeoutSeconds:
          args.pauseSeconds +
          args.drainSeconds +
          waits * args.healthTimeoutSeconds +
          SWITCH_SECONDS,
      },
      { parent: this, dependsOn: [...args.after] },
    );
    this.activation = pulumi.unsecret(activation.stdout).apply(reported);
    this.health = this.activation.apply(({ state }) => state);
    this.done = activation;
    this.registerOutputs({ health: this.health });
  }
}

/** Env file, unit and settings of the activation, for the script's stdin. */
async function activationPayload(args: AgentArgs): Promise<string> {
  const token = args.profile.registration?.variable;
  const secrets = Object.entries(args.secrets)
    .filter(([name]) => name !== token)
    .map(([name, value]) => [name, value.reveal()] as const);
  const values = { ...args.env, ...Object.fromEntries(secrets) };
  return payload({
    env: { content: renderEnvFile(values) },
    ...filesPayload(placedFiles(args.profile, args.agent, values)),
    ...registrationFiles(args, values),
    unit: { content: args.unit },
    dropin: { content: renderDropIn(args.profile, args.runtime.name, args.limits) },
    "activation.conf": {
      content: assignments({
        OWNER: args.host.name,
        HOST: args.host.name,
        RELEASE: args.release,
        RUNTIME: args.runtime.id,
        PORT: String(args.port ?? ""),
        ENABLED: args.enabled ? "yes" : "no",
        DEADLINE: String(args.healthTimeoutSeconds),
        DRAIN_SECONDS: String(args.drainSeconds),
        KEEP_RELEASES: String(args.keepReleases),
        ...(args.pauseSeconds === 0 ? {} : { PAUSE: String(args.pauseSeconds) }),
        SECRET_NAMES: Object.keys(args.secrets).sort().join(" "),
      }),
    },
  });
}

/** As assets/scripts/bin/lib-files.sh reads them; nothing where there is none. */
function filesPayload(files: readonly PlacedFile[]): Record<string, PayloadFile> {
  const lines = files.map(({ path, mode, owner }) => `${path} ${mode} ${owner}\n`);
  const contents = files.map(
    ({ content }, index) => [`file-${String(index + 1)}`, { content }] as const,
  );
  return files.length === 0
    ? {}
    : { files: { content: lines.join("") }, ...Object.fromEntries(contents) };
}

/**
 * What an agent needs to be registered; nothing where its profile has no registration.
 * @param values its variables but for the token
 */
function registrationFiles(
  { profile, secrets, agent, runtime, unit, port }: AgentArgs,
  values: Readonly<Record<string, string>>,
): Record<string, PayloadFile> {
  const { registration } = profile;
  if (registration === undefined) {
    return {};
  }
  const { variable, done, file = "" } = registration;
  const token = secrets[variable]?.reveal();
  const given = token === undefined ? {} : { [variable]: token };
  const config = profile.files[file];
  return {
    "registration.env": { content: renderEnvFile(given) },
    ...(config === undefined
      ? {}
      : {
          "registration.file": { content: configContent(profile, config, { ...values, ...given }) },
        }),
    "registration.dropin": {
      content: renderRegistrationDropIn(profile, runtime.name, unit, registration),
    },
    "registration.conf": {
      content: assignments({
        TOKEN_VARIABLE: variable,
        REGISTERED: fillDefault(profile, done, { name: agent, port }),
      }),
    },
  };
}

/** The last line of the activation's output is its result; an older one may lack parts. */
function reported(stdout: string): Activation {
  const result = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Partial<Activation>;
  return {
    state: result.state ?? "unknown",
    restarted: result.restarted ?? false,
    gapSeconds: result.gapSeconds ?? 0,
    drain: result.drain ?? "none",
    drainedSeconds: result.drainedSeconds ?? 0,
    jobsLeft: result.jobsLeft ?? null,
  };
}
