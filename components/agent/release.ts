/**
 * A release on a host, once for all agents that run the same code:
 *   1. the host says whether it has the release already; of its first one it is not asked, unless its image may
 *      have it;
 *   2. the archive is sent, or where the host has it a word instead;
 *   3. the host checks its SHA-256 and unpacks it to /opt/<service>/releases/<id>, owned by root.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { remoteStep } from "../remote/step";
import { hostScript } from "./host-scripts";
import { offerAndUpload } from "./offer";
import type { Release as BuiltRelease } from "./release-archive";
import { releaseWords } from "./unpack-words";

export interface ReleaseArgs {
  readonly host: Host;
  readonly service: string;
  readonly release: BuiltRelease;
  /** Id of the runtime that installs the dependencies on the host. @default - they are in the archive */
  readonly installWith?: string | undefined;
  /** The host's set-up, and the runtime where it installs the dependencies. */
  readonly after: readonly pulumi.Resource[];
}

const UNPACK_SECONDS = 900;

export class Release extends pulumi.ComponentResource {
  /** Done when the release is in place; no agent runs it yet. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: ReleaseArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:Release", name, {}, options);
    const { host, release, service } = args;
    const sent = `.agent-fleet-${release.id}.tgz`;
    const uploaded = offerAndUpload(
      name,
      {
        ...{ host, service, kind: "release", id: release.id, after: args.after },
        file: { path: release.file, sha256: release.sha256 },
        remotePath: sent,
      },
      this,
    );
    const install = args.installWith === undefined ? [] : ["--install-with", args.installWith];
    this.done = remoteStep(
      `${name}-unpack`,
      {
        on: host,
        run: hostScript(service, "unpack", [...releaseWords(release, `~/${sent}`), ...install]),
        timeoutSeconds: UNPACK_SECONDS,
      },
      { parent: this, dependsOn: [...args.after, uploaded] },
    );
    this.registerOutputs({});
  }
}
