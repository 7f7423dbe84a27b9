/** The only wrapper over @pulumi/command: one command on a host or here, with the rules that every step keeps. */
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { BOOTING, connectionArgs, type Connection } from "./connection";
import { Queue } from "./queue";
import { commandLine, quote } from "./quote";

/** Options of a step; what it waits for are resources, nothing that is yet to become one. */
export type StepOptions = Omit<pulumi.CustomResourceOptions, "dependsOn"> & {
  readonly dependsOn?: readonly pulumi.Resource[];
};

/** A machine as steps see it. */
export interface Machine {
  readonly connection: Connection;
  /** Identity of the machine: another one means that everything is done again. */
  readonly machine: pulumi.Input<string>;
  /** The machine's own resource where the stack owns it: what was done there needs no undoing once it is deleted. */
  readonly ownedBy: pulumi.Resource | undefined;
}

export interface RemoteStepArgs {
  readonly on: Machine;
  /** Run as root on create and on every change. No secret may stand in it. */
  readonly run: readonly string[];
  /** True: a step that is new does nothing, and opens no connection. @default - it runs */
  readonly onlyOnChange?: boolean;
  /** Run as root on delete. @default - nothing happens on delete */
  readonly undo?: readonly string[];
  /** What it is done for: another value does it again. @default - the machine alone */
  readonly since?: string | undefined;
  /** Secrets and files go here; kept encrypted in the state. @default - empty */
  readonly stdin?: pulumi.Input<string>;
  /** Seconds after which the command is ended on the host. */
  readonly timeoutSeconds: number;
  /**
   * A host's first step. `booting`: waits for SSH, as the machine may just be starting again. `running`: the
   * machine is up already. Either says clearly where the user may not become root. @default - a later step
   */
  readonly first?: "booting" | "running";
}

/** Seconds that a first step waits for a booting machine at most, on top of its own time; see BOOTING. */
const BOOT_SECONDS = 600;

/** One command on a host as root. Its stdout is the step's result, taken as a secret until read. */
export function remoteStep(
  name: string,
  args: RemoteStepArgs,
  options: StepOptions,
): command.remote.Command {
  const { on, timeoutSeconds, first, onlyOnChange = false, since } = args;
  const { connection } = on;
  const booting = first === "booting";
  const line = (words: readonly string[], before = "", after = "") =>
    pulumi
      .output(on.machine)
      .apply(
        (machine) =>
          `${before}${asRoot(connection.user, timeoutSeconds)} ${commandLine(words)} # on machine ${machine}${after}`,
      );
  const deadline = `${String(timeoutSeconds + 60 + (booting ? BOOT_SECONDS : 0))}s`;
  const step = new command.remote.Command(
    name,
    {
      connection: connectionArgs(connection, booting ? BOOTING : undefined),
      [onlyOnChange ? "update" : "create"]: line(
        args.run,
        first === undefined ? "" : requireRoot(connection.user),
        since === undefined ? "" : `, ${since}`,
      ),
      ...(args.undo === undefined ? {} : { delete: line(args.undo) }),
      ...(args.stdin === undefined ? {} : { stdin: pulumi.secret(args.stdin) }),
      logging: command.remote.Logging.None,
      addPreviousOutputInEnv: false,
    },
    {
      ...onMachine(on, options),
      additionalSecretOutputs: ["stdout", "stderr"],
      customTimeouts: { create: deadline, update: deadline, delete: deadline },
    },
  );
  queueOf(connection).add(step, options.dependsOn ?? []);
  return step;
}

/** The steps of each host, so that only a few of them open a connection at once. */
const queues = new WeakMap<Connection, Queue<pulumi.Resource>>();

function queueOf(connection: Connection): Queue<pulumi.Resource> {
  const queue = queues.get(connection) ?? new Queue<pulumi.Resource>();
  queues.set(connection, queue);
  return queue;
}

/** A step waits for what it is told to, and for its turn on the machine; it goes with the machine. */
function onMachine(
  { connection, ownedBy }: Machine,
  options: StepOptions,
): pulumi.CustomResourceOptions {
  const { dependsOn = [] } = options;
  return {
    ...options,
    dependsOn: [...new Set([...dependsOn, ...queueOf(connection).before(dependsOn)])],
    ...(ownedBy === undefined ? {} : { deletedWith: ownedBy }),
  };
}

/** `timeout` ends what a cancelled run leaves behind: a running command does not heed cancel. */
function asRoot(user: string, seconds: number): string {
  const limited = `timeout -k 10 ${String(seconds)}`;
  return user === "root" ? limited : `sudo -n ${limited}`;
}

/** Ends the command with a remedy where `sudo` would only say that it needs a password. */
function requireRoot(user: string): string {
  if (user === "root") {
    return "";
  }
  const remedy = `${user} may not use sudo without a password here; allow it, as root on that machine: echo "${user} ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/${user}`;
  return `sudo -n true 2>/dev/null || { echo ${quote(remedy)} >&2; exit 1; }; `;
}

/** A file on this machine. */
export interface LocalFile {
  /** Absolute path. */
  readonly path: string;
  /** SHA-256 of its content, hexadecimal. */
  readonly sha256: string;
}

export interface UploadArgs {
  readonly on: Machine;
  readonly file: LocalFile;
  /** True: the host has what is in the file, and gets a word instead of it. @default - the file is sent */
  readonly isThere?: pulumi.Output<boolean>;
  /** What a preview shows where it cannot know `isThere` yet. @default - that the file is sent */
  readonly isExpected?: boolean;
  /** Path on the host; relative to the home folder of the SSH user. */
  readonly remotePath: string;
}

/** Sends one file by SFTP. What it becomes on the host (owner, mode, place) is the next step's business. */
export function upload(
  name: string,
  { on, file, remotePath, isThere, isExpected = false }: UploadArgs,
  options: StepOptions,
): command.remote.CopyToRemote {
  const step = new command.remote.CopyToRemote(
    name,
    {
      connection: connectionArgs(on.connection),
      source: isThere === undefined ? new HashedAsset(file) : fileUnless(isThere, isExpected, file),
      remotePath,
      triggers: [on.machine],
    },
    onMachine(on, options),
  );
  queueOf(on.connection).add(step, options.dependsOn ?? []);
  return step;
}

/** The engine takes a hash that it is given, where it would else read the whole file once per host. */
class HashedAsset extends pulumi.asset.FileAsset {
  // The SDK sends every field of an asset, under its name.
  readonly hash: string;

  constructor({ path, sha256 }: LocalFile) {
    super(path);
    this.hash = sha256;
  }
}

/**
 * The file, or a word where it is not needed. A preview that cannot know it yet shows what is expected: the
 * official plugin refuses a source that is unknown (pulumi/pulumi-command#754).
 */
function fileUnless(
  isThere: pulumi.Output<boolean>,
  isExpected: boolean,
  local: LocalFile,
): pulumi.Output<pulumi.asset.Asset> {
  const file = new HashedAsset(local);
  const word = new pulumi.asset.StringAsset("already on the host\n");
  // Every output has it, but its type leaves it out.
  const { isKnown } = isThere as unknown as { readonly isKnown: Promise<boolean> };
  return pulumi
    .output(isKnown)
    .apply((known) =>
      (known ? isThere : pulumi.output(isExpected)).apply((there) => (there ? word : file)),
    );
}

export interface LocalStepArgs {
  /** Run here on create and on every change. */
  readonly run: readonly string[];
  /** Once for this: another value makes it anew, and nothing else runs it again. @default - every change does */
  readonly onceFor?: pulumi.Input<string>;
  /** Run here on delete. @default - nothing happens on delete */
  readonly undo?: readonly string[];
  readonly stdin: pulumi.Input<string>;
  /** @default - where the engine runs, the project's folder; it is in no state, which operators may share */
  readonly folder?: string;
  readonly timeoutSeconds: number;
}

/** One command on this machine. */
export function localStep(
  name: string,
  args: LocalStepArgs,
  options: pulumi.CustomResourceOptions,
): command.local.Command {
  const deadline = `${String(args.timeoutSeconds)}s`;
  return new command.local.Command(
    name,
    {
      create: commandLine(args.run),
      ...(args.onceFor === undefined ? {} : { update: "true", triggers: [args.onceFor] }),
      ...(args.undo === undefined ? {} : { delete: commandLine(args.undo) }),
      stdin: pulumi.secret(args.stdin),
      ...(args.folder === undefined ? {} : { dir: args.folder }),
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    {
      ...options,
      additionalSecretOutputs: ["stdout"],
      customTimeouts: { create: deadline, update: deadline, delete: deadline },
    },
  );
}

/**
 * Done when all of these are. For many that wait for many: through a gate the edges between them
 * grow with the sum of both, not with the product.
 */
export function gate(name: string, after: readonly pulumi.Resource[]): pulumi.Resource {
  return new command.local.Command(name, { create: "true" }, { dependsOn: [...after] });
}
