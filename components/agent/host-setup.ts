/**
 * What a host needs once for all agents of one service:
 *   1. waits for SSH and for cloud-init to finish;
 *   2. refuses, untouched, a machine that does not fit (systemd, architecture, rights, system, disk);
 *   3. installs the profile's packages where they are missing;
 *   4. makes the service user, the folders and the scripts that later steps call.
 * On delete the machine is left as it was found.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host";
import { payload, type PayloadFile } from "../remote/payload";
import { payloadScript } from "../remote/script";
import { remoteStep } from "../remote/step";
import { hostScriptIfThere } from "./host-scripts";
import type { Profile } from "./profile";
import { renderProfileConf } from "./profile-conf";
import type { Arch } from "./runtimes";

export interface HostSetupArgs {
  readonly host: Host;
  readonly profile: Profile;
  /** The agents of the service that belong on this host. */
  readonly agents: readonly string[];
  readonly arch: Arch;
  /** Go on where the operating system is not a known one. */
  readonly tryUnknownOs: boolean;
  /** The host must have nftables. */
  readonly hostFirewall: boolean;
  /** True: delete removes the agents' state too. */
  readonly purgeData: boolean;
  /** The scripts of assets/scripts and since.tsv, by their path in the payload. */
  readonly scripts: Readonly<Record<string, PayloadFile>>;
}

/** Free space that a runtime and a few releases need, in MiB. */
const FREE_MIB = 1024;
const SETUP_SECONDS = 600;
const PACKAGES_SECONDS = 1200;

export class HostSetup extends pulumi.ComponentResource {
  /** Done when the host is ready for runtimes, releases and agents. */
  readonly done: pulumi.Resource;

  constructor(name: string, args: HostSetupArgs, options?: pulumi.ComponentResourceOptions) {
    super("agent-fleet:agent:HostSetup", name, {}, options);
    const { host, profile } = args;
    const { service } = profile;
    const files = {
      ...args.scripts,
      "profile.conf": { content: renderProfileConf(profile) },
      "belongs-here": { content: args.agents.map((agent) => `${agent}\n`).join("") },
    };
    const tryUnknown = args.tryUnknownOs ? ["--try-unknown-os"] : [];
    const firewall = args.hostFirewall ? ["--firewall"] : [];
    const setup = [host.name, args.arch, String(FREE_MIB), ...tryUnknown, ...firewall];
    const purge = args.purgeData ? ["--purge"] : [];
    this.done = remoteStep(
      `${name}-run`,
      {
        on: host,
        run: payloadScript("setup", setup),
        undo: hostScriptIfThere(service, "uninstall", ["host", host.name, ...purge]),
        stdin: payload(files),
        timeoutSeconds: SETUP_SECONDS + (profile.packages === undefined ? 0 : PACKAGES_SECONDS),
        first: host.ownedBy === undefined ? "running" : "booting",
      },
      { parent: this, dependsOn: [...host.ready] },
    );
    this.registerOutputs({});
  }
}
