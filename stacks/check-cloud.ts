/** The settings of a host in a cloud: what its provider calls what was asked for, and what it cannot give. */
import { ALL_RANGES, ANYWHERE } from "../components/host/cidr";
import {
  IMAGES,
  OFFERS,
  type Arch,
  type CloudProvider,
  type ImageName,
  type Offer,
} from "../components/host/offers";
import type { Context } from "./check-context";
import { missingCredentials } from "./credentials";
import { addOnce } from "./problems";
import type { HostConfig } from "./schema";

export interface CloudSettings {
  /** In the provider's own words. */
  readonly size: string;
  readonly image: string;
  readonly region: string;
  /** Where the disk is not part of the size. */
  readonly diskGib: number;
  /** Id of a network that exists. @default - the provider's file decides */
  readonly network: string | undefined;
}

export type CloudConfig = Extract<HostConfig, { provider: CloudProvider }>;

export function isCloud(config: HostConfig): config is CloudConfig {
  return isCloudProvider(config.provider);
}

export function isCloudProvider(provider: string): provider is CloudProvider {
  return Object.hasOwn(OFFERS, provider);
}

/** Ranges that may reach port 22. @default undefined - the operator's own address, found later */
export function allowedRanges({ config }: Pick<Context, "config">): string[] | undefined {
  return config.ssh?.allowFrom?.flatMap((range) => (range === ANYWHERE ? ALL_RANGES : [range]));
}

export function cloudSettings(context: Context, path: string, config: CloudConfig): CloudSettings {
  const offer = OFFERS[config.provider];
  const arch = config.arch ?? "amd64";
  credentials(context, path, config.provider);
  sshRanges(context);
  if (config.provider === "proxmox" && context.config.ssh?.allowFrom === undefined) {
    addOnce(context.problems, {
      path: "ssh.allowFrom",
      text: `got nothing, expected the ranges that may reach port 22 of a VM at ${offer.title}; it is in your own network, where this machine has another address than on the internet: pulumi config set --path 'agent-fleet:ssh.allowFrom[0]' 192.168.1.0/24`,
    });
  }
  user(context, offer);
  return {
    size: size(context, path, config, offer, arch),
    ...place(context, path, config, arch),
    diskGib: config.size === "recommended" ? 500 : 100,
    network: "network" in config ? config.network : undefined,
  };
}

/** Image and region; at Proxmox a template and a node. */
function place(
  context: Context,
  path: string,
  config: CloudConfig,
  arch: Arch,
): Pick<CloudSettings, "image" | "region"> {
  const offer = OFFERS[config.provider];
  return config.provider === "proxmox"
    ? { image: String(config.template ?? 9000), region: config.node ?? offer.defaultRegion }
    : {
        image: image(context, path, config.image ?? "ubuntu-24.04", offer, arch),
        region: config.region ?? offer.defaultRegion,
      };
}

function user({ config, problems }: Context, { title, refusesUser, user: own }: Offer): void {
  const given = config.ssh?.user;
  if (given !== undefined && refusesUser?.(given) === true) {
    addOnce(problems, {
      path: "ssh.user",
      text: `got "${given}", of which ${title} makes no account; give another name, or remove the key for ${own}`,
    });
  }
}

function size(
  { problems }: Context,
  path: string,
  config: CloudConfig,
  offer: Offer,
  arch: Arch,
): string {
  const asked = config.size ?? "minimum";
  if (asked !== "minimum" && asked !== "recommended") {
    const its = offer.archOf(asked);
    if (its !== arch) {
      problems.push({
        path: `${path}.size`,
        text: `got "${asked}", which is an ${its} size while the host is ${arch}; ${
          its === "amd64" && config.arch !== undefined ? "remove arch" : `set arch: ${its}`
        }, or give a size that is ${arch}`,
      });
    }
    return asked;
  }
  const found = offer.sizes[asked][arch];
  if (found === undefined) {
    const other = offer.sizes[asked].amd64 !== undefined && offer.sizes.minimum[arch] === undefined;
    problems.push({
      path: other ? `${path}.arch` : `${path}.size`,
      text: other
        ? `got "${arch}", which ${offer.title} does not have; remove the key`
        : `got "${asked}", which ${offer.title} does not have for ${arch}; give ${offer.ownSizeText}`,
    });
  }
  return found ?? "";
}

function image(
  { problems }: Context,
  path: string,
  asked: string,
  offer: Offer,
  arch: Arch,
): string {
  if (!isImageName(asked)) {
    return asked;
  }
  const found = offer.images[asked][arch];
  // An architecture that the provider does not have at all is said once, at the size.
  if (found === undefined && offer.images["ubuntu-24.04"][arch] !== undefined) {
    const rest = IMAGES.filter((name) => offer.images[name][arch] !== undefined);
    problems.push({
      path: `${path}.image`,
      text: `got "${asked}", expected one of ${rest.join(", ")}: ${offer.noImage ?? ""}`,
    });
  }
  return found ?? "";
}

function isImageName(name: string): name is ImageName {
  return (IMAGES as readonly string[]).includes(name);
}

/** The address of a VM in a cloud is IPv4, so that some IPv4 range must reach it. */
function sshRanges({ config, problems }: Context): void {
  const ranges = allowedRanges({ config });
  if (ranges?.some((range) => range.includes(".")) === false) {
    addOnce(problems, {
      path: "ssh.allowFrom",
      text: `got ${JSON.stringify(config.ssh?.allowFrom)}, expected an IPv4 range too, as hosts are reached at their IPv4 address; add the range of this machine`,
    });
  }
}

function credentials({ problems, surroundings }: Context, path: string, provider: CloudProvider) {
  if (surroundings === undefined) {
    return;
  }
  for (const text of missingCredentials(provider, surroundings)) {
    addOnce(problems, { path: `${path}.provider`, text });
  }
}
